// What is drawn: every kind of fault that there is, and nothing that does not load.
#include <doctest/doctest.h>

#include <set>

#include "sim/explore/fault_draw.h"
#include "sim/explore/rule_draw.h"
#include "sim/explore/traffic.h"
#include "sim/explore/trial.h"
#include "sim/run/check.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/load.h"

namespace postproof::sim {

namespace {

std::string problems_of(const std::string& text) {
  const auto scenario = load_scenario("drawn", text);
  std::string problems;
  for (const Problem& problem : scenario ? check_scenario(*scenario) : scenario.error()) {
    problems += problem.to_string() + "\n";
  }
  return problems;
}

document::Document drawn(std::uint64_t seed) {
  Draw traffic(seed, "traffic");
  document::Document document = draw_traffic(traffic);
  prepare(document, seed);
  Draw faults(seed, "faults");
  add_faults(document, faults);
  return document;
}

}  // namespace

TEST_CASE("what a fault kind needs can be drawn") {
  // A new key of a fault needs a row in fault_values.cc.
  for (const std::string_view kind : fault_kinds()) {
    CAPTURE(kind);
    CHECK(keys_never_drawn(kind).empty());
  }
}

TEST_CASE("every kind is drawn before long, and all that is drawn loads") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const document::Document document = drawn(seed);
    const std::string text = document::write(document);
    CAPTURE(text);
    CHECK(problems_of(text) == "");
    for (const document::Section& section : document.sections) {
      const document::Value* fault = section.body.find("fault");
      if (fault != nullptr) seen.insert(std::string(fault->as<document::Table>()->text("kind")));
    }
  }
  for (const std::string_view kind : fault_kinds()) {
    CAPTURE(kind);
    CHECK(seen.contains(std::string(kind)));
  }
}

TEST_CASE("a seed draws the same again, another one something else") {
  CHECK(drawn(7) == drawn(7));
  CHECK(drawn(7) != drawn(8));
}

TEST_CASE("prepare leaves out what speaks of the undisturbed course") {
  auto document = document::parse("title = \"t\"\ncases = [\"A1\"]\nlimit = \"1m\"\nseed = 3\n[mta.sut]\nretry.lifetime = \"40d\"\n"
                                  "[[at]]\nt = \"1s\"\nfault = { kind = \"process.crash\", host = \"sut\", disk_op = \"each\" }\n"
                                  "[[expect]]\nend = { queue = 1 }\n");
  REQUIRE(document);
  prepare(*document, 9);
  CHECK(document->head.find("cases") == nullptr);
  CHECK(*document->head.find("seed")->as<std::int64_t>() == 9);
  CHECK(document->head.text("limit") == "60d");
  CHECK(document->sections.size() == 2);
  const auto* fault = document->sections[1].body.find("fault")->as<document::Table>();
  CHECK(fault->find("disk_op")->as<std::int64_t>() != nullptr);
}

}  // namespace postproof::sim
