#include "sim/coverage/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "mta/base/check.h"

namespace postproof::sim {

namespace {

void note(Shown& shown, const std::string& scenario, Standing standing) {
  shown.scenarios.push_back(scenario);
  if (standing == Standing::fail || shown.standing == Standing::waiting) shown.standing = standing;
}

struct Tally {
  std::size_t passed = 0, failed = 0, waiting = 0;

  void count(Standing standing) {
    if (standing == Standing::pass) ++passed;
    if (standing == Standing::fail) ++failed;
    if (standing == Standing::waiting) ++waiting;
  }
  std::string text() const { return fmt::format("{} pass, {} fail, {} waiting", passed, failed, waiting); }
};

// One scenario a line, the first behind what they show.
void append_entry(std::string& text, Standing standing, std::string_view what, std::size_t width, const Shown& shown) {
  text += fmt::format("  {:<7}  {:<{}}", to_string(standing), what, width);
  bool first = true;
  for (const std::string& scenario : shown.scenarios) {
    text += first ? fmt::format("  {}\n", scenario) : fmt::format("{:{}}{}\n", "", 2 + 7 + 2 + width + 2, scenario);
    first = false;
  }
}

boost::json::object as_json(const Shown& shown) {
  boost::json::array scenarios;
  for (const std::string& scenario : shown.scenarios) scenarios.emplace_back(scenario);
  return {{"scenarios", std::move(scenarios)}, {"result", to_string(shown.standing)}};
}

}  // namespace

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::waiting: return "waiting";
    case Standing::pass: return "pass";
    case Standing::fail: return "fail";
  }
  return "unknown";
}

Coverage::Coverage(Catalogue catalogue) : catalogue_(std::move(catalogue)) {
  for (const CatalogueGroup& group : catalogue_.groups) {
    for (const CatalogueCase& one : group.cases) cases_[one.id];
  }
}

void Coverage::add(const Scenario& scenario, Standing standing) {
  std::set<std::string> told;  // a clause or a case that stands twice is one
  for (const LocatedString& id : scenario.cases) {
    const auto at = cases_.find(id.text);
    PP_CHECK(at != cases_.end(), "a case that the catalogue does not have");
    if (told.insert(id.text).second) note(at->second, scenario.file, standing);
  }
  for (const LocatedString& text : scenario.covers) {
    const auto clause = parse_clause(text.text);
    PP_CHECK(clause.has_value(), "a clause that is none");
    auto& entry = clauses_[*clause];
    entry.first = text.text;
    if (told.insert(text.text).second) note(entry.second, scenario.file, standing);
  }
}

std::string coverage_text(const Coverage& coverage) {
  std::string text = "Clauses\n";
  Tally clauses;
  std::size_t width = 0;
  for (const auto& [clause, entry] : coverage.clauses()) width = std::max(width, entry.first.size());
  for (const auto& [clause, entry] : coverage.clauses()) {
    append_entry(text, entry.second.standing, entry.first, width, entry.second);
    clauses.count(entry.second.standing);
  }

  Tally cases;
  for (const CatalogueGroup& group : coverage.catalogue().groups) {
    Tally of_group;
    for (const CatalogueCase& one : group.cases) of_group.count(coverage.of_case(one.id).standing);
    text += fmt::format("\n{}  {}\n   {}\n", group.id, group.title, of_group.text());
    for (const CatalogueCase& one : group.cases) {
      const Shown& shown = coverage.of_case(one.id);
      cases.count(shown.standing);
      append_entry(text, shown.standing, one.id, 4, shown);
      if (shown.standing == Standing::waiting) text += fmt::format("  {}\n", one.text);
      for (const std::string& test : one.tests) text += fmt::format("{:17}and by {}\n", "", test);
    }
  }
  return text + fmt::format("\nclauses: {}\ncases: {}\n", clauses.text(), cases.text());
}

std::string coverage_json(const Coverage& coverage) {
  boost::json::object cases, clauses;
  for (const CatalogueGroup& group : coverage.catalogue().groups) {
    for (const CatalogueCase& one : group.cases) cases[one.id] = as_json(coverage.of_case(one.id));
  }
  for (const auto& [clause, entry] : coverage.clauses()) clauses[entry.first] = as_json(entry.second);
  const boost::json::object all{{"cases", std::move(cases)}, {"clauses", std::move(clauses)}};
  return boost::json::serialize(all) + "\n";
}

}  // namespace postproof::sim
