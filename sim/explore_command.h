// postproof explore: what it is asked, and the command itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postproof::sim {

struct ExploreArguments {
  std::vector<std::string> paths;  // none: drawn traffic alone
  bool generate = false;           // drawn traffic too
  std::uint64_t seeds = 1000, from = 1;
  std::size_t jobs = 0;  // 0: not said
  std::optional<std::uint64_t> minutes;
  std::string output = "explored";
  bool json = false;
  bool print = false;  // the scenario of the first seed, which is not run
};

// Failures go to standard output as they are found, then a summary, or with `json` that alone, as an object; progress to
// standard error, if that is a terminal. Returns the exit status.
int explore_command(const ExploreArguments& arguments);

}  // namespace postproof::sim
