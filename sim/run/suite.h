// Many scenarios: finds them, reads them, runs each in a world of its own on a few threads, and tells the
// results in one fixed order whatever the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/probe/probes.h"
#include "sim/run/run.h"

namespace postproof::sim {

// A suite's catalogue (sim/coverage): no scenario.
inline constexpr std::string_view kCatalogueFile = "catalogue.toml";

// The scenario files that `paths` stand for, in their order: a file as it is given, a folder as the *.toml in it and
// below it but catalogue.toml, sorted; none twice. `filter`, a pattern, keeps the paths that match it whole.
// The error is a line for people: a path that does not exist, or nothing found.
std::expected<std::vector<std::string>, std::string> find_scenarios(const std::vector<std::string>& paths,
                                                                    const std::optional<std::string>& filter);

// The catalogue that a scenario's `cases` are of: that in its folder, or in the nearest above that has one, as far as
// the scenario's path goes. None: there is none.
std::optional<std::string> find_catalogue(const std::string& scenario_path);

// Reads what a scenario names (config = "FILE"), or says why not: "no such file or directory".
std::expected<std::string, std::string> read_named_file(const std::string& path);
// The path, from the root on, of a file that a scenario names.
std::string whole_path(const std::string& scenario_path, const std::string& named);

// Reads, loads and checks one file: all variants of its matrix.
std::expected<std::vector<Scenario>, std::vector<Problem>> read_variants(const std::string& path);
// The first of them, for whoever looks at a scenario and not at its runs.
std::expected<Scenario, std::vector<Problem>> read_scenario(const std::string& path);

struct SuiteOptions {
  std::optional<std::uint64_t> seed;      // in place of the scenarios'
  std::optional<std::string> only;        // variant
  std::size_t jobs = 1;                   // threads
  std::optional<std::string> report;      // folder for recordings and their views
  bool probes = false;                    // look for what each run has reached
};

// One run of a scenario.
struct VariantOutcome {
  std::string variant;      // "" where there is only one
  bool passed = false;
  Duration virtual_time{};
  std::string failure;      // the report for people; empty when passed
  std::vector<std::string> files;  // endings of those that --report has left
  ProbeSet probes;          // if asked for
  std::string skipped = {};  // why it was not run: "sut lacks dsn"; empty: it was
};

struct ScenarioOutcome {
  std::string path;
  std::string title;
  double seconds = 0;                     // real, of all its variants
  std::vector<Problem> problems;          // not empty: it is invalid and did not run
  std::vector<VariantOutcome> variants;   // empty though valid: it has no variant of the name asked for
  std::string trouble;                    // the report could not be written; empty: none

  bool passed() const;   // it ran, and every variant that ran passed
  bool skipped() const;  // every variant was
};

// `done` is called for each scenario in the order of `paths`, by one thread at a time.
void run_suite(const std::vector<std::string>& paths, const SuiteOptions& options,
               const std::function<void(const ScenarioOutcome&)>& done);

}  // namespace postproof::sim
