// Reads scenario files. Everything wrong is told as FILE:LINE:COLUMN with what was expected.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.h"

namespace postproof::sim {

// Of a file; far more than any scenario needs.
inline constexpr std::size_t kScenarioOctetsMax = 4 * 1024 * 1024;

// Gives the text of a file that a scenario names (config = "FILE"), or says why not: "no such file or directory".
using FileReader = std::function<std::expected<std::string, std::string>(const std::string& path)>;

// The variants of the file's matrix, one if it has none. `file` names the text in complaints, and files that it names
// are looked for from its folder. All problems that can be found are told, not only the first. Without a reader a
// scenario that names files is refused.
std::expected<std::vector<Scenario>, std::vector<Problem>> load_variants(std::string_view file, std::string_view text,
                                                                         const FileReader& read_file = {});

// The first of them, for whoever looks at a scenario and not at its runs.
std::expected<Scenario, std::vector<Problem>> load_scenario(std::string_view file, std::string_view text,
                                                            const FileReader& read_file = {});

}  // namespace postproof::sim
