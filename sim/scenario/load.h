// Reads scenario files. Everything wrong is told as FILE:LINE:COLUMN with what was expected.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.h"

namespace postproof::sim {

// `file` names the text in complaints. All problems that can be found are told, not only the first.
std::expected<Scenario, std::vector<Problem>> load_scenario(std::string_view file, std::string_view text);

}  // namespace postproof::sim
