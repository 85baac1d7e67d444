// An MTA's event of a recording as one line, and patterns over it.
#pragma once

#include <string>
#include <string_view>

#include "sim/recording/record.h"

namespace postproof::sim {

// "deferred message=0001 recipient=bob@dest.example": as a log has it, but for quotes.
std::string event_line(const record::MtaEvent& event);

// The pattern stands for the value of any field, or for the whole line; without regard to case.
bool event_matches(const record::MtaEvent& event, std::string_view pattern);

}  // namespace postproof::sim
