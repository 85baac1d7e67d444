// The catalogue: what is read of it, and what is wrong with one.
#include "sim/coverage/catalogue.h"

#include <doctest/doctest.h>

#include "sim/scenario/load.h"

namespace postproof::sim {

namespace {

constexpr std::string_view kSmall = R"([[group]]
id = "A"
title = "commands"
[[group]]
id = "AB"
title = "the harness"
[[case]]
id = "A01"
clause = "3.1"
level = "M"
text = "greets"
[[case]]
id = "AB01"
clause = "H"
level = "H"
text = "same bytes"
tests = ["ci/check-twice"]
)";

std::string complaints(std::string text) {
  const auto catalogue = load_catalogue("c.toml", text);
  std::string all;
  if (!catalogue) {
    for (const Problem& problem : catalogue.error()) all += problem.to_string() + "\n";
  }
  return all;
}

std::string complaints_behind(std::string_view more) { return complaints(std::string(kSmall) + std::string(more)); }

}  // namespace

TEST_CASE("a catalogue is read") {
  const auto catalogue = load_catalogue("c.toml", kSmall);
  REQUIRE(catalogue);
  REQUIRE(catalogue->groups.size() == 2);
  CHECK(catalogue->groups[0].title == "commands");
  REQUIRE(catalogue->find("A01") != nullptr);
  CHECK(catalogue->find("A01")->text == "greets");
  CHECK(catalogue->groups[1].cases.front().tests == std::vector<std::string>{"ci/check-twice"});
  CHECK(catalogue->find("A02") == nullptr);
}

TEST_CASE("what is wrong with a catalogue is told by its place") {
  CHECK(complaints("[[case]\n").starts_with("c.toml:1:"));
  const std::string one = "[[case]]\nclause = '1'\nlevel = 'M'\ntext = 'x'\n";
  CHECK(complaints_behind(one) == "c.toml:18:1: case: expected \"id\"\n");
  CHECK(complaints_behind(one + "id = 'a1'\n") ==
        "c.toml:22:6: case.id: expected the letters of a group and a number, like \"B05\"\n");
  CHECK(complaints_behind(one + "id = 'A01'\n") == "c.toml:22:6: case.id: \"A01\" stands twice\n");
  CHECK(complaints_behind(one + "id = 'C01'\n") == "c.toml:22:6: case.id: no [[group]] has the id \"C\"\n");
  CHECK(complaints_behind(one + "id = 'A02'\nleval = 'M'\n").find("did you mean \"level\"?") != std::string::npos);
  CHECK(complaints_behind("[[case]]\nid='A02'\nclause = '1'\nlevel = 'X'\ntext = 'x'\n").find("c.toml:21:9: case.level: \"X\"") == 0);
}

TEST_CASE("cases that the catalogue does not have are told, with the nearest") {
  const auto catalogue = load_catalogue("c.toml", kSmall);
  const auto scenario = load_scenario("s.toml", "title = 'x'\ncases = ['A01', 'AB02', 'ZZ99']\n");
  REQUIRE(catalogue);
  REQUIRE(scenario);
  const auto problems = check_cases(*scenario, *catalogue);
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].to_string() == "s.toml:2:17: cases: \"AB02\" is not in c.toml (did you mean \"AB01\"?)");
  CHECK(problems[1].to_string().starts_with("s.toml:2:25: cases: \"ZZ99\" is not in c.toml"));
}

}  // namespace postproof::sim
