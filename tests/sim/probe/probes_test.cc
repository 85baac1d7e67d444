// Probes, read from the recordings of runs that are known to reach them.
#include "sim/probe/probes.h"

#include <doctest/doctest.h>

#include "sim/run/run.h"
#include "sim/scenario/load.h"

namespace postproof::sim {

namespace {

constexpr std::string_view kSubmit =
    "[[at]]\nt = \"1s\"\nsubmit = { to = \"sut\", from = \"a@src.example\", rcpt = \"b@dest.example\" }\n";

ProbeSet reached_by(const std::string& rest) {
  const auto scenario = load_scenario("probed", "title = \"t\"\nopen = true\n[mta.sut]\nretry.jitter = 0\n" + rest);
  REQUIRE(scenario.has_value());
  return probes_reached(run_once(*scenario, RunOptions{}).recording);
}

void check_contains(const ProbeSet& reached, std::initializer_list<const char*> probes) {
  for (const char* probe : probes) {
    CAPTURE(probe);
    CHECK(reached.contains(probe));
  }
}

}  // namespace

TEST_CASE("no name stands in the list twice") {
  const ProbeSet all(all_probes().begin(), all_probes().end());
  CHECK(all.size() == all_probes().size());
}

TEST_CASE("a delivery, and a refusal with its report") {
  const ProbeSet plain = reached_by("[peer.mx]\nnames = [\"dest.example\"]\n" + std::string(kSubmit));
  check_contains(plain, {"event delivered", "reply greeting 2yz", "reply DATA 3yz", "reply dot 2yz", "answer dot 2yz", "dns nodata"});
  CHECK(!plain.contains("dsn failed"));
  CHECK(!plain.contains("reply RCPT 5yz"));

  const ProbeSet refused = reached_by("[peer.mx]\nnames = [\"dest.example\"]\nrules = [{ on = \"RCPT\", reply = \"550 no\" }]\n"
                                      "[peer.home]\nnames = [\"src.example\"]\n" + std::string(kSubmit));
  check_contains(refused, {"reply RCPT 5yz", "bounced rcpt", "dsn failed", "event bounced"});
}

TEST_CASE("faults, crashes and disks") {
  const ProbeSet reached = reached_by(
      "[peer.mx]\nnames = [\"dest.example\"]\n" + std::string(kSubmit) +
      "[[at]]\nt = 0\nfault = { kind = \"process.crash\", host = \"sut\", event = \"attempt\", restart = \"1s\" }\n"
      "[[at]]\nt = \"1m\"\nfault = { kind = \"disk.enospc\", host = \"sut\" }\n"
      "[[at]]\nt = \"2m\"\nsubmit = { to = \"sut\", from = \"\", rcpt = \"b@dest.example\" }\n");
  check_contains(reached, {"fault process.crash", "process crash", "process recovery", "fault disk.enospc", "disk write fails"});
}

TEST_CASE("what was never reached is told by group") {
  ProbeCount count;
  for (const std::string& probe : all_probes()) {
    if (probe != "dsn failed" && probe != "dsn delayed") count.add(ProbeSet{probe});
  }
  count.add(ProbeSet{"event connect"});
  CHECK(count.runs().at("event connect") == 2);
  CHECK(count.never() == std::vector<std::string>{"dsn failed", "dsn delayed"});
  CHECK(probes_text(count).ends_with("\n  never  dsn       failed, delayed\n"));
}

}  // namespace postproof::sim
