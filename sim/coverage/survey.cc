#include "sim/coverage/survey.h"

#include <fmt/format.h>

#include "mta/base/check.h"
#include "sim/run/report.h"

namespace postproof::sim {

namespace {

void append(std::vector<Problem>& list, const std::vector<Problem>& more) { list.insert(list.end(), more.begin(), more.end()); }

// The one catalogue that all of them are under; none: a suite without one, whose books are of clauses alone.
std::expected<std::optional<std::string>, Problem> common_catalogue(const std::vector<std::string>& paths) {
  PP_CHECK(!paths.empty(), "a survey of nothing");
  const auto first = find_catalogue(paths.front());
  for (const std::string& path : paths) {
    const auto other = find_catalogue(path);
    if (other == first) continue;
    return std::unexpected(Problem{path, {}, fmt::format("its catalogue is {}, and that of {} is {}; expected one",
                                                         other.value_or("none"), paths.front(),
                                                         first.value_or("none"))});
  }
  return first;
}

}  // namespace

std::expected<Catalogue, std::vector<Problem>> read_catalogue(const std::string& path) {
  const auto text = read_text_file(path);
  if (!text) return std::unexpected(std::vector<Problem>{Problem{path, {}, text.error().what}});
  return load_catalogue(path, *text);
}

std::vector<Problem> CaseChecker::check(const Scenario& scenario) {
  if (scenario.cases.empty()) return {};
  const auto path = find_catalogue(scenario.file);
  if (!path) return {};
  const auto [at, first] = catalogues_.try_emplace(*path, std::unexpected(std::vector<Problem>{}));
  if (first) {
    at->second = read_catalogue(*path);
    if (!at->second) return at->second.error();  // told once
  }
  return at->second ? check_cases(scenario, *at->second) : std::vector<Problem>{};
}

std::expected<Coverage, std::vector<Problem>> survey(const std::vector<std::string>& paths, const SuiteOptions& options,
                                                     const std::function<void(const ScenarioOutcome&)>& done) {
  const auto path = common_catalogue(paths);
  if (!path) return std::unexpected(std::vector<Problem>{path.error()});
  std::expected<Catalogue, std::vector<Problem>> catalogue;
  if (*path) {
    catalogue = read_catalogue(**path);
    if (!catalogue) return std::unexpected(std::move(catalogue.error()));
  } else {
    catalogue->file = fmt::format("a {} in its folder or above", kCatalogueFile);
  }

  std::vector<Problem> problems;
  std::map<std::string, Scenario> scenarios;
  for (const std::string& one : paths) {
    auto scenario = read_scenario(one);
    if (!scenario) {
      append(problems, scenario.error());
      continue;
    }
    append(problems, check_cases(*scenario, *catalogue));
    scenarios.emplace(one, std::move(*scenario));
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));

  Coverage coverage(std::move(*catalogue));
  run_suite(paths, options, [&](const ScenarioOutcome& outcome) {
    const auto scenario = scenarios.find(outcome.path);
    PP_CHECK(scenario != scenarios.end(), "an outcome of a scenario that was not read");
    coverage.add(scenario->second, outcome.skipped()  ? Standing::waiting
                                   : outcome.passed() ? Standing::pass
                                                      : Standing::fail);
    done(outcome);
  });
  return coverage;
}

}  // namespace postproof::sim
