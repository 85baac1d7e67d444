// What is drawn: every kind of fault that there is, and nothing that does not load.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "sim/explore/fault_draw.h"
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

bool can_last(std::string_view kind) {
  const auto& optional = find_fault_kind(kind)->optional;
  return std::ranges::find(optional, "for", &FaultKey::name) != optional.end();
}

TEST_CASE("every kind is drawn before long, and all that is drawn loads") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    const document::Document document = drawn(seed);
    if (seed <= 300) {
      const std::string text = document::write(document);
      CAPTURE(text);
      CHECK(problems_of(text) == "");
    }
    for (const document::Section& section : document.sections) {
      const document::Value* fault = section.body.find("fault");
      if (fault == nullptr) continue;
      const auto& keys = *fault->as<document::Table>();
      const std::string kind(keys.text("kind"));
      seen.insert(kind);
      // A disk that failed for ever would hold the mail for ever.
      if (kind.starts_with("disk.") && can_last(kind)) CHECK(keys.find("for") != nullptr);
    }
  }
  for (const std::string_view kind : fault_kinds()) {
    CAPTURE(kind);
    CHECK(seen.contains(std::string(kind)));
  }
}

TEST_CASE("without a server that speaks TLS none of its faults is drawn") {
  auto document = document::parse("title = \"t\"\n[mta.sut]\n[peer.mx]\nnames = [\"dest.example\"]\n");
  REQUIRE(document);
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    document::Document with = *document;
    Draw draw(seed, "faults");
    add_faults(with, draw);
    CHECK(document::write(with).find("\"tls.") == std::string::npos);
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
