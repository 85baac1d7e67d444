// The books of a suite: which clause and which case of the catalogue is shown by which scenarios, and with what result.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/coverage/catalogue.h"
#include "sim/scenario/clause.h"

namespace postproof::sim {

enum class Standing : std::uint8_t {
  waiting,  // no scenario shows it, or only such as need what is not there
  pass,     // every scenario that shows it passes
  fail,
};
std::string_view to_string(Standing standing);

struct Shown {
  std::vector<std::string> scenarios;  // paths, in the order in which they were added
  Standing standing = Standing::waiting;
};

class Coverage {
 public:
  explicit Coverage(Catalogue catalogue);

  // A scenario that has run, or that needs what is not there (waiting). Its cases are in the catalogue, its clauses are
  // well-formed.
  void add(const Scenario& scenario, Standing standing);

  const Catalogue& catalogue() const { return catalogue_; }
  const Shown& of_case(const std::string& id) const { return cases_.at(id); }
  // In the order of a table of contents.
  const std::map<Clause, std::pair<std::string, Shown>>& clauses() const { return clauses_; }

 private:
  Catalogue catalogue_;
  std::map<std::string, Shown> cases_;  // each of the catalogue's
  std::map<Clause, std::pair<std::string, Shown>> clauses_;
};

// For people: clause, result, scenarios; then the cases by group, those that wait with what they ask for.
std::string coverage_text(const Coverage& coverage);

// {"cases": {ID: {"scenarios": [...], "result": "pass" | "fail" | "waiting"}}, "clauses": {CLAUSE: the same}}
std::string coverage_json(const Coverage& coverage);

}  // namespace postproof::sim
