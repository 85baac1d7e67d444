// What a run of the suite has come to, for people and for CI: the index page and the summary of a report's folder, and
// the JUnit file. The page and the summary depend on nothing but the runs: equal runs give equal files. Real durations
// stand in the JUnit file alone.
#pragma once

#include <string>
#include <vector>

#include "sim/run/suite.h"

namespace postproof::sim {

class SuiteReport {
 public:
  // In the order in which they shall stand. What is kept is small.
  void add(const ScenarioOutcome& outcome);

  // HTML: every run with its result and its files, failures first.
  std::string index_page() const;
  // Markdown, as CI systems show it: the counts, and the reports of what failed.
  std::string summary() const;
  // A test case for each run: the scenario's folder is its class, a failure's report its text.
  std::string junit() const;

 private:
  struct Run {
    std::string path, variant, title, result;  // "passed", "failed", "invalid"
    std::string report;                        // what failed, or what is invalid
    std::vector<std::string> files;            // endings
    Duration virtual_time{};
    double seconds = 0;  // real
  };
  std::vector<Run> runs_;
  std::size_t passed_ = 0, failed_ = 0, invalid_ = 0;  // scenarios
};

}  // namespace postproof::sim
