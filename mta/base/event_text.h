// Events as text and as JSON: the two forms of the log.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mta/base/event.h"

namespace postproof {

// "delivered message=0001000000000001 recipient=bob@dest.example delay=1.5s": values with blanks, quotes
// or nothing in them are quoted; what does not print is escaped. One line, always.
std::string event_to_text(const Event& event);

// {"time":"2026-...Z","event":"delivered","message":"...","delay":1.5}: durations in seconds. One line.
std::string event_to_json(const Event& event, WallTime time);

// Field names and values as text, in order; durations as format_duration writes them.
std::vector<std::pair<std::string, std::string>> event_fields(const Event& event);

}  // namespace postproof
