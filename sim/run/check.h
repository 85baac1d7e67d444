// What can be found wrong with a scenario beyond its TOML, without running it: zone text, dialogues, and what could
// never strike or match.
#pragma once

#include <vector>

#include "sim/scenario/scenario.h"

namespace postproof::sim {

// In order of the file; empty: nothing is wrong.
std::vector<Problem> check_scenario(const Scenario& scenario);

}  // namespace postproof::sim
