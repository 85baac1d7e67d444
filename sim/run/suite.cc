#include "sim/run/suite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "mta/base/check.h"
#include "mta/base/text.h"
#include "sim/run/check.h"
#include "sim/run/report.h"
#include "sim/scenario/load.h"
#include "sim/view/failure_report.h"

namespace postproof::sim {

namespace fs = std::filesystem;

namespace {

// What this thread is running, for the crash hook: a broken invariant then names what replays it.
thread_local const std::string* current_run = nullptr;

void tell_current_run() {
  if (current_run != nullptr) std::fprintf(stderr, "while running %s\n", current_run->c_str());
}

std::expected<std::vector<std::string>, std::string> scenarios_below(const fs::path& folder) {
  std::vector<std::string> list;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code not_a_file;  // a dangling link is passed over
    if (at->path().extension() == ".toml" && at->path().filename() != kCatalogueFile && at->is_regular_file(not_a_file)) {
      list.push_back(at->path().lexically_normal().string());
    }
  }
  if (error) return std::unexpected(fmt::format("{}: {}", folder.string(), error.message()));
  std::sort(list.begin(), list.end());
  return list;
}

ScenarioOutcome run_one(const std::string& path, const SuiteOptions& options) {
  ScenarioOutcome outcome;
  outcome.path = path;
  const auto scenario = read_scenario(path);
  if (!scenario) {
    outcome.problems = scenario.error();
    return outcome;
  }
  const std::string name = fmt::format("{} --seed {}", path, options.seed.value_or(scenario->seed));
  current_run = &name;
  set_crash_hook(tell_current_run);
  const std::vector<RunResult> results = run_scenario(*scenario, options.seed, options.only);
  set_crash_hook(nullptr);
  current_run = nullptr;

  for (const RunResult& result : results) {
    VariantOutcome variant{result.recording.variant, result.judgement.ok(), result.virtual_time, {}};
    if (!variant.passed) variant.failure = failure_report(result.recording);
    if (options.report && outcome.trouble.empty()) {
      if (const auto written = write_report(*options.report, result.recording, variant.failure); !written) {
        outcome.trouble = written.error().what;
      }
    }
    outcome.variants.push_back(std::move(variant));
  }
  return outcome;
}

}  // namespace

std::expected<std::vector<std::string>, std::string> find_scenarios(const std::vector<std::string>& paths,
                                                                    const std::optional<std::string>& filter) {
  std::vector<std::string> found;
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) return std::unexpected(path + ": no such file or folder");
    std::vector<std::string> here = {path};
    if (fs::is_directory(status)) {
      auto below = scenarios_below(path);
      if (!below) return std::unexpected(std::move(below.error()));
      here = std::move(*below);
    }
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

std::expected<Scenario, std::vector<Problem>> read_scenario(const std::string& path) {
  const auto text = read_text_file(path);
  if (!text) {
    // The error begins with the path, as a problem does.
    std::string what = text.error().what;
    if (what.starts_with(path + ": ")) what.erase(0, path.size() + 2);
    return std::unexpected(std::vector<Problem>{Problem{path, {}, std::move(what)}});
  }
  auto scenario = load_scenario(path, *text);
  if (!scenario) return scenario;
  if (auto problems = check_scenario(*scenario); !problems.empty()) return std::unexpected(std::move(problems));
  return scenario;
}

bool ScenarioOutcome::passed() const {
  return problems.empty() && !variants.empty() &&
         std::all_of(variants.begin(), variants.end(), [](const VariantOutcome& variant) { return variant.passed; });
}

void run_suite(const std::vector<std::string>& paths, const SuiteOptions& options,
               const std::function<void(const ScenarioOutcome&)>& done) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;  // guards what follows, and `done`
  std::vector<std::optional<ScenarioOutcome>> outcomes(paths.size());
  std::size_t told = 0;

  const auto work = [&] {
    for (std::size_t i = next++; i < paths.size(); i = next++) {
      ScenarioOutcome outcome = run_one(paths[i], options);
      const std::lock_guard lock(mutex);
      outcomes[i] = std::move(outcome);
      for (; told < outcomes.size() && outcomes[told]; ++told) {
        done(*outcomes[told]);
        outcomes[told] = ScenarioOutcome{};  // its reports have been told
      }
    }
  };
  const std::size_t threads = std::min(std::max<std::size_t>(options.jobs, 1), paths.size());
  if (threads <= 1) {
    work();
    return;
  }
  std::vector<std::jthread> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.emplace_back(work);
}

}  // namespace postproof::sim
