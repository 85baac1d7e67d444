// Runs a suite and keeps its books: reads the scenarios and the catalogue that they cite, runs them as `run` does, and
// notes what each has shown.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "sim/coverage/coverage.h"
#include "sim/run/suite.h"

namespace postproof::sim {

// The paths are scenario files. Wrong scenarios, a wrong catalogue and unknown cases are told, all of them, before
// anything runs; so are scenarios without a catalogue or of several. `done` as for run_suite.
std::expected<Coverage, std::vector<Problem>> survey(const std::vector<std::string>& paths, const SuiteOptions& options,
                                                     const std::function<void(const ScenarioOutcome&)>& done);

// What is wrong with the cases of a scenario, by the catalogue above it; nothing where there is none.
class CaseChecker {
 public:
  std::vector<Problem> check(const Scenario& scenario);

 private:
  std::map<std::string, std::expected<Catalogue, std::vector<Problem>>> catalogues_;  // read once each
};

std::expected<Catalogue, std::vector<Problem>> read_catalogue(const std::string& path);

}  // namespace postproof::sim
