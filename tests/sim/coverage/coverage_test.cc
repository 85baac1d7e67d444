// The books: what passes, fails and waits, as text and as JSON.
#include "sim/coverage/coverage.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "sim/scenario/load.h"

namespace postproof::sim {

namespace {

Catalogue catalogue() {
  return *load_catalogue("c.toml",
                         "[[group]]\nid = 'A'\ntitle = 'commands'\n"
                         "[[case]]\nid = 'A01'\nclause = '1'\nlevel = 'M'\ntext = 'greets'\n"
                         "[[case]]\nid = 'A02'\nclause = '1'\nlevel = 'M'\ntext = 'refuses'\n"
                         "[[case]]\nid = 'A03'\nclause = '1'\nlevel = 'M'\ntext = 'waits for its turn'\n"
                         "tests = ['ci/check-it']\n");
}

void add(Coverage& coverage, std::string_view file, Standing standing, std::string_view cases, std::string_view covers) {
  const auto scenario =
      load_scenario(file, "title = 'x'\ncases = " + std::string(cases) + "\ncovers = " + std::string(covers) + "\n");
  REQUIRE(scenario);
  coverage.add(*scenario, standing);
}

// Three scenarios, of which the second fails.
Coverage sample() {
  Coverage coverage(catalogue());
  add(coverage, "a.toml", Standing::pass, "['A01', 'A01']", "['RFC5321#4.10', 'RFC5321#4.2']");
  add(coverage, "b.toml", Standing::fail, "['A02', 'A01']", "'RFC5321#4.10'");
  add(coverage, "c.toml", Standing::pass, "['A02']", "[]");
  return coverage;
}

}  // namespace

TEST_CASE("one failing scenario fails all that it shows, whatever comes after it") {
  Coverage coverage = sample();
  CHECK(coverage.of_case("A01").standing == Standing::fail);
  CHECK(coverage.of_case("A01").scenarios == std::vector<std::string>{"a.toml", "b.toml"});
  CHECK(coverage.of_case("A02").standing == Standing::fail);
  CHECK(coverage.of_case("A03").standing == Standing::waiting);

  Coverage good(catalogue());
  add(good, "a.toml", Standing::pass, "'A01'", "[]");
  CHECK(good.of_case("A01").standing == Standing::pass);
}

TEST_CASE("as text") {
  CHECK(coverage_text(sample()) ==
        "Clauses\n"
        "  pass     RFC5321#4.2   a.toml\n"
        "  fail     RFC5321#4.10  a.toml\n"
        "                         b.toml\n"
        "\n"
        "A  commands\n"
        "   0 pass, 2 fail, 1 waiting\n"
        "  fail     A01   a.toml\n"
        "                 b.toml\n"
        "  fail     A02   b.toml\n"
        "                 c.toml\n"
        "  waiting  A03   waits for its turn\n"
        "                 and by ci/check-it\n"
        "\n"
        "clauses: 1 pass, 1 fail, 0 waiting\n"
        "cases: 0 pass, 2 fail, 1 waiting\n");
}

TEST_CASE("as JSON") {
  const auto expected = boost::json::parse(R"({
    "cases": {"A01": {"scenarios": ["a.toml", "b.toml"], "result": "fail"},
              "A02": {"scenarios": ["b.toml", "c.toml"], "result": "fail"},
              "A03": {"scenarios": [], "result": "waiting"}},
    "clauses": {"RFC5321#4.2": {"scenarios": ["a.toml"], "result": "pass"},
                "RFC5321#4.10": {"scenarios": ["a.toml", "b.toml"], "result": "fail"}}})");
  CHECK(boost::json::parse(coverage_json(sample())) == expected);
}

TEST_CASE("coverage: a scenario that needs what is not there leaves its cases and clauses waiting") {
  Coverage coverage(catalogue());
  add(coverage, "later.toml", Standing::waiting, "['A01', 'A02']", "'RFC5321#4.10'");
  add(coverage, "now.toml", Standing::pass, "'A02'", "[]");
  CHECK(coverage.of_case("A01").standing == Standing::waiting);
  CHECK(coverage.of_case("A02").standing == Standing::pass);
  REQUIRE(coverage.clauses().size() == 1);
  CHECK(coverage.clauses().begin()->second.second.standing == Standing::waiting);
}

}  // namespace postproof::sim
