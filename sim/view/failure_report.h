// The report of a failed run, from its recording alone: each failure at its line, wanted over nearest, the wire
// around it, and the command that replays it.
#pragma once

#include <string>
#include <string_view>

#include "sim/recording/record.h"

namespace postproof::sim {

// "FAIL path [variant] seed=7   15m32s virtual" and what follows. Empty for a run that passed or was not judged.
std::string failure_report(const Recording& recording);

// Its parts, for views that lay it out in another way.
// The expectation in the scenario's own words where there are some, else what the judge calls it.
std::string failure_headline(const Recording& recording, const record::Failure& failure);
// "postproof run PATH --only VARIANT --seed N", quoted for a shell.
std::string replay_command(const Recording& recording);
// As a shell reads it as one word.
std::string shell_word(std::string_view word);

}  // namespace postproof::sim
