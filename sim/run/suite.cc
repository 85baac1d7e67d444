#include "sim/run/suite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <system_error>

#include "mta/base/text.h"
#include "sim/run/check.h"
#include "sim/run/in_order.h"
#include "sim/run/report.h"
#include "sim/scenario/load.h"
#include "sim/scenario/variant.h"
#include "sim/view/failure_report.h"

namespace postproof::sim {

namespace fs = std::filesystem;

namespace {

// Adds them to the list. Links to folders are not followed: they may lead back.
std::expected<void, std::string> add_scenarios_below(const fs::path& folder, std::vector<std::string>& list) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code dangling;  // a link to nothing is passed over
    if (at->is_directory(dangling) && !at->is_symlink(dangling)) {
      if (auto below = add_scenarios_below(at->path(), list); !below) return below;
    } else if (at->path().extension() == ".toml" && at->path().filename() != kCatalogueFile && at->is_regular_file(dangling)) {
      list.push_back(at->path().lexically_normal().string());
    }
  }
  if (error) return std::unexpected(fmt::format("{}: {}", folder.string(), error.message()));
  return {};
}

// Errors of files begin with the path, and so do problems.
std::string without_path(const std::string& path, std::string what) {
  if (what.starts_with(path + ": ")) what.erase(0, path.size() + 2);
  return what;
}

void run_variant(const Scenario& scenario, const SuiteOptions& options, ScenarioOutcome& outcome) {
  const std::string variant_given = scenario.variant.empty() ? "" : fmt::format(" --only '{}'", variant_name(scenario.variant));
  const std::string name = fmt::format("{}{} --seed {}", scenario.file, variant_given, options.seed.value_or(scenario.seed));
  std::vector<RunResult> results;
  {
    const Running running(name.c_str());
    results = run_scenario(scenario, options.seed, options.only, [&](const RunResult& of_group) {
      if (!options.report || !outcome.trouble.empty()) return;
      if (auto written = write_recording_of_group(*options.report, of_group.recording); !written) outcome.trouble = written.error().what;
    });
  }
  for (const RunResult& result : results) {
    VariantOutcome variant{result.recording.variant, result.judgement.ok(), result.virtual_time, {}, {}, {}, result.skipped};
    if (options.probes && result.skipped.empty()) variant.probes = probes_reached(result.recording);
    if (!variant.passed) variant.failure = failure_report(result.recording);
    if (options.report && outcome.trouble.empty() && result.skipped.empty()) {
      if (auto written = write_report(*options.report, result.recording)) {
        variant.files = std::move(*written);
      } else {
        outcome.trouble = written.error().what;
      }
    }
    outcome.variants.push_back(std::move(variant));
  }
}

ScenarioOutcome run_one(const std::string& path, const SuiteOptions& options) {
  ScenarioOutcome outcome;
  outcome.path = path;
  const auto began = std::chrono::steady_clock::now();
  const auto scenarios = read_variants(path);
  if (!scenarios) {
    outcome.problems = scenarios.error();
    return outcome;
  }
  outcome.title = scenarios->front().title;
  for (const Scenario& scenario : *scenarios) run_variant(scenario, options, outcome);
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return outcome;
}

// What loading says, and then what checking says.
std::expected<std::vector<Scenario>, std::vector<Problem>> read_and_check(const std::string& path, bool all_variants) {
  const auto text = read_text_file(path, kScenarioOctetsMax);
  if (!text) return std::unexpected(std::vector<Problem>{Problem{path, {}, without_path(path, text.error().what)}});
  std::vector<Scenario> scenarios;
  if (all_variants) {
    auto variants = load_variants(path, *text, read_named_file);
    if (!variants) return variants;
    scenarios = std::move(*variants);
  } else {
    auto first = load_scenario(path, *text, read_named_file);
    if (!first) return std::unexpected(std::move(first.error()));
    scenarios.push_back(std::move(*first));
  }
  for (const Scenario& scenario : scenarios) {
    if (auto problems = check_scenario(scenario); !problems.empty()) return std::unexpected(std::move(problems));
  }
  return scenarios;
}

}  // namespace

std::expected<std::string, std::string> read_named_file(const std::string& path) {
  auto content = read_text_file(path, kScenarioOctetsMax);
  if (!content) return std::unexpected(without_path(path, content.error().what));
  return std::move(*content);
}

std::string whole_path(const std::string& scenario_path, const std::string& named) {
  const fs::path path = fs::path(scenario_path).parent_path() / named;
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  return (error ? path : whole).lexically_normal().string();
}

std::expected<std::vector<std::string>, std::string> find_scenarios(const std::vector<std::string>& paths,
                                                                    const std::optional<std::string>& filter) {
  std::vector<std::string> found;
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) return std::unexpected(path + ": no such file or folder");
    std::vector<std::string> here;
    if (!fs::is_directory(status)) {
      here.push_back(path);
    } else if (auto below = add_scenarios_below(path, here); !below) {
      return std::unexpected(std::move(below.error()));
    }
    std::ranges::sort(here);
    for (std::string& one : here) {
      if (seen.insert(fs::path(one).lexically_normal().string()).second) found.push_back(std::move(one));
    }
  }
  if (found.empty()) return std::unexpected(fmt::format("{}: no scenarios (*.toml) in it", fmt::join(paths, ", ")));
  if (filter) {
    std::erase_if(found, [&](const std::string& path) { return !glob_match(*filter, path); });
    if (found.empty()) {
      return std::unexpected(fmt::format("--filter {}: no scenario's path matches (a pattern is for the whole path: \"*greylist*\")", *filter));
    }
  }
  return found;
}

std::optional<std::string> find_catalogue(const std::string& scenario_path) {
  fs::path folder = fs::path(scenario_path).lexically_normal().parent_path();
  for (;;) {
    const fs::path here = folder / kCatalogueFile;
    std::error_code none;
    if (fs::is_regular_file(here, none)) return here.string();
    if (folder.empty() || folder == folder.parent_path()) return std::nullopt;
    folder = folder.parent_path();
  }
}

std::expected<std::vector<Scenario>, std::vector<Problem>> read_variants(const std::string& path) { return read_and_check(path, true); }

std::expected<Scenario, std::vector<Problem>> read_scenario(const std::string& path) {
  auto scenarios = read_and_check(path, false);
  if (!scenarios) return std::unexpected(std::move(scenarios.error()));
  return std::move(scenarios->front());
}

bool ScenarioOutcome::passed() const {
  return problems.empty() && !variants.empty() && !skipped() &&
         std::all_of(variants.begin(), variants.end(), [](const VariantOutcome& variant) { return variant.passed; });
}

bool ScenarioOutcome::skipped() const {
  return !variants.empty() &&
         std::all_of(variants.begin(), variants.end(), [](const VariantOutcome& variant) { return !variant.skipped.empty(); });
}

void run_suite(const std::vector<std::string>& paths, const SuiteOptions& options,
               const std::function<void(const ScenarioOutcome&)>& done) {
  std::vector<ScenarioOutcome> outcomes(paths.size());
  run_in_order(
      paths.size(), options.jobs, [&](std::size_t i) { outcomes[i] = run_one(paths[i], options); },
      [&](std::size_t i) {
        done(outcomes[i]);
        outcomes[i] = ScenarioOutcome{};  // its reports have been told
      });
}

}  // namespace postproof::sim
