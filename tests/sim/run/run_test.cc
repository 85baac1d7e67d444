// Whole runs: the world is built, plays, ends where it should, and leaves the same recording twice.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "sim/recording/recording_file.h"
#include "mta/base/text.h"
#include "mta/capabilities.h"
#include "sim/run/run.h"
#include "sim/scenario/load.h"
#include "sim/view/failure_report.h"

namespace postproof::sim {

namespace {

using namespace std::chrono_literals;

Scenario load(const std::string& text) {
  auto scenario = load_scenario("test.toml", text);
  if (!scenario) {
    for (const Problem& problem : scenario.error()) MESSAGE(problem.to_string());
  }
  REQUIRE(scenario);
  return std::move(*scenario);
}

RunResult run(const std::string& text) {
  const Scenario scenario = load(text);
  RunResult result = run_once(scenario, {});
  INFO(failure_report(result.recording));
  CHECK(result.judgement.ok());
  return result;
}

// The report of a run that must fail.
std::string report_of(const std::string& text) {
  const Scenario scenario = load(text);
  const RunResult result = run_once(scenario, {});
  CHECK_FALSE(result.judgement.ok());
  return failure_report(result.recording);
}

record::End end_of(const RunResult& result) {
  for (const Record& record : result.recording.records) {
    if (const auto* end = std::get_if<record::End>(&record.what)) return *end;
  }
  FAIL("the recording has no end");
  return {};
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

constexpr const char* kHosts = R"(
title = "test"
[dns]
zone = '''
dest.example. MX 10 mx1.dest.example.
dest.example. MX 20 mx2.dest.example.
'''
[mta.sut]
retry.schedule = ["15m"]
retry.jitter = 0
[peer.mx1]
names = ["mx1.dest.example"]
[peer.mx2]
names = ["mx2.dest.example"]
[peer.home]
names = ["src.example"]
)";

constexpr const char* kSubmit = R"(
[[at]]
t = "1s"
submit = { to = "sut", from = "alice@src.example", rcpt = "bob@dest.example" }
)";

std::string scene(const std::string& rest) { return kHosts + rest; }

}  // namespace

TEST_CASE("a message goes through, and the run ends when nothing is left") {
  const RunResult result = run(scene(std::string(kSubmit) + R"(
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx1", when = "1s" }
[[expect]]
end = { queue = 0, connections = 0, when = "1s" }
)"));
  CHECK(end_of(result).reason == "done");
  CHECK(result.virtual_time < 2s);
  CHECK(result.judgement.passed == 2);
}

TEST_CASE("two runs leave the same recording, another seed another one") {
  const Scenario scenario = load(scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "tcp.blackhole", host = "mx1" }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx2" }
)"));
  const std::string once = recording_to_json_lines(run_once(scenario, {}).recording);
  CHECK(once == recording_to_json_lines(run_once(scenario, {}).recording));
  CHECK(once != recording_to_json_lines(run_once(scenario, {99, {}}).recording));
}

TEST_CASE("five days of outage end in one report") {
  const RunResult result = run(scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx1" }
[[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx2" }
[[expect]]
dsn = { to = "alice@src.example", at = "home", final = "bob@dest.example", action = "failed", when = "120h1s" }
)"));
  CHECK(result.virtual_time > 120h);
}

TEST_CASE("a run that fails after five days of waiting costs no real wait") {
  const auto began = std::chrono::steady_clock::now();
  const std::string report = report_of(scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "tcp.blackhole", host = "mx1" }
[[at]]
t = "0s"
fault = { kind = "tcp.blackhole", host = "mx2" }
[[expect]]
delivered = { rcpt = "bob@dest.example", when = "4d" }
[[expect]]
dsn = { to = "alice@src.example", count = 0 }
)"));
  CHECK(holds(report, "wanted   1 delivery to bob@dest.example"));
  CHECK(std::chrono::steady_clock::now() - began < 20s);  // five days of 500 attempts, on a busy machine
}

TEST_CASE("a fault ends by itself") {
  run(scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "dns.servfail", name = "dest.example", for = "10m" }
[[expect]]
attempts = { rcpt = "bob@dest.example", when = ["1s", "15m1s"] }
[[expect]]
delivered = { rcpt = "bob@dest.example" }
)"));
}

TEST_CASE("a look at a queue keeps the run going to its moment") {
  const RunResult result = run(scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx1", for = "10m" }
[[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx2", for = "10m" }
[[expect]]
queue = { mta = "sut", rcpt = "bob@dest.example", t = "5m", depth = 1, next = "15m1s" }
[[expect]]
queue = { t = "1h", depth = 0 }
[[expect]]
delivered = { rcpt = "bob@dest.example" }
)"));
  CHECK(result.virtual_time == 1h);
}

TEST_CASE("work left at the limit fails, unless it was asked for") {
  const std::string left = "limit = \"1h\"\n" + scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx1" }
[[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx2" }
)");
  const std::string report = report_of(left);
  CHECK(holds(report, "invariant: the run comes to an end"));
  CHECK(holds(report, "MTA sut: 1 message in its queue"));
  run(left + "[[expect]]\nend = { queue = 1 }\n");
}

TEST_CASE("a crash at an event, and what comes after the restart") {
  const RunResult result = run(scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "process.crash", host = "sut", event = "accepted", match = "alice@*", restart = "10m" }
[[expect]]
delivered = { rcpt = "bob@dest.example", when = "10m1s" }
)"));
  const auto crashes = std::ranges::count_if(result.recording.records, [](const Record& record) {
    const auto* state = std::get_if<record::NodeState>(&record.what);
    return state != nullptr && state->node == "sut" && state->state == "crash";
  });
  CHECK(crashes == 1);
}

TEST_CASE("a fault that strikes nothing fails the run by its line, unless it may miss") {
  struct Case {
    const char *t, *fault;
    bool strikes;
  };
  const Case cases[] = {
      {"0s", R"(kind = "tcp.refuse", host = "mx1", for = "5s")", true},
      {"0s", R"(kind = "tcp.refuse", host = "home")", false},
      {"0s", R"(kind = "tcp.refuse", host = "mx1", port = 26)", false},
      {"1h", R"(kind = "tcp.blackhole", host = "mx1")", false},
      {"0s", R"(kind = "tcp.partition", host = "mx1", with = "sut", for = "5s")", true},
      {"0s", R"(kind = "tcp.partition", host = "mx1", with = "home")", false},
      {"0s", R"(kind = "tcp.delay", host = "mx1", by = "1s")", true},
      {"0s", R"(kind = "tcp.delay", host = "home", by = "1s")", false},
      {"0s", R"(kind = "tcp.segment", host = "dns", segment = 1)", false},  // questions go in datagrams
      {"0s", R"(kind = "tcp.zero-window", host = "mx1", for = "10s")", true},
      {"0s", R"(kind = "tcp.zero-window", host = "home")", false},
      {"0s", R"(kind = "tcp.reset", host = "mx1")", false},  // nothing stands yet
      {"0s", R"(kind = "tcp.reset", host = "mx1", line = "XYZ*")", false},
      {"0s", R"(kind = "tcp.reset", host = "mx1", line = "RCPT *", times = 1)", true},
      {"0s", R"(kind = "dns.servfail", name = "other.example")", false},
      {"0s", R"(kind = "dns.servfail", name = "dest.example", for = "5s")", true},
      {"0s", R"(kind = "dns.tcp-refuse")", false},
      {"0s", R"(kind = "smtp.reply", host = "mx1", on = "RCPT", match = "carol@*", reply = "450 no")", false},
      {"0s", R"(kind = "smtp.reply", host = "mx1", on = "RCPT", reply = "450 no", for = "5s")", true},
      {"0s", R"(kind = "disk.slow", host = "sut", by = "1ms")", true},
      {"0s", R"(kind = "disk.slow", host = "sut", by = "1ms", path = "/nowhere/*")", false},
      {"0s", R"(kind = "disk.bit-rot", host = "sut", path = "/nowhere/*")", false},
      {"0s", R"(kind = "process.descriptors", host = "sut", limit = 1000)", false},
      {"0s", R"(kind = "process.descriptors", host = "sut", limit = 2, for = "5s")", true},
      {"1m", R"(kind = "process.pause", host = "sut", for = "1m")", true},
      {"0s", R"(kind = "clock.step", host = "sut", by = "1h")", true},
      {"0s", R"(kind = "process.crash", host = "sut", event = "bounced", restart = "1s")", false},
      {"0s", R"(kind = "process.crash", host = "sut", event = "accepted", restart = "1s")", true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.fault);
    for (const bool may_miss : {false, true}) {
      const std::string text = fmt::format("open = true\n{}\n[[at]]\nt = \"{}\"\nfault = {{ {}, may_miss = {} }}\n",
                                           scene(kSubmit), c.t, c.fault, may_miss);
      const RunResult result = run_once(load(text), {});
      const std::string report = failure_report(result.recording);
      CAPTURE(report);
      CHECK(holds(report, "it never struck") == (!c.strikes && !may_miss));
    }
  }
}

TEST_CASE("disk_op = each that never comes makes a test of nothing") {
  const Scenario scenario = load("open = true\n" + scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "process.crash", host = "sut", disk_op = "each", from = "bounced" }
)"));
  const auto results = run_scenario(scenario, {}, {});
  REQUIRE(results.size() == 1);
  CHECK(holds(failure_report(results[0].recording), "sut crashes at disk operation 1 from event bounced on"));
  CHECK_FALSE(results[0].judgement.ok());
}

TEST_CASE("a crash finds an MTA that is down already") {
  CHECK(holds(report_of("open = true\n" + scene(std::string(kSubmit) + R"(
[[at]]
t = "5s"
fault = { kind = "process.crash", host = "sut" }
[[at]]
t = "6s"
fault = { kind = "process.crash", host = "sut", restart = "1s" }
)")), "it never struck; the last of it: finds it down"));
}

TEST_CASE("a submission to an MTA that is down waits until it is up, and fails the run where that never comes") {
  const std::string down = R"(
[[at]]
t = "500ms"
fault = { kind = "process.crash", host = "sut"RESTART }
[[expect]]
delivered = { rcpt = "bob@dest.example", COUNT }
)";
  const auto with = [&](std::string_view restart, std::string_view count) {
    std::string text = down;
    text.replace(text.find("RESTART"), 7, restart);
    text.replace(text.find("COUNT"), 5, count);
    return scene(std::string(kSubmit) + text);
  };
  run(with(", restart = \"10m\"", "when = \"10m0.5s\""));
  const std::string report = report_of(with("", "count = 0"));
  CHECK(holds(report, "submission to sut"));
  CHECK(holds(report, "nothing brings it up"));
  // It goes down while the client's SYN is on its way.
  std::string text = with(", restart = \"10m\"", "when = \"10m1s\"");
  text.replace(text.find("500ms"), 5, "1.0005s");
  run(text);
}

TEST_CASE("an MTA that stays down is not waited for") {
  const RunResult result = run(scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "process.crash", host = "sut", event = "accepted" }
[[expect]]
never = { event = "connect", at = "mx1" }
)"));
  CHECK(end_of(result).reason == "done");
}

TEST_CASE("an MTA that dies before it has come up keeps nobody waiting") {
  const RunResult result = run_once(load(scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "process.crash", host = "sut", disk_op = 2 }
[[expect]]
never = { event = "accepted" }
)")), {});
  CHECK(end_of(result).reason == "done");
  CHECK(holds(failure_report(result.recording), "submission to sut"));
}

TEST_CASE("a look beyond the limit is not passed over") {
  CHECK(holds(report_of("limit = \"1h\"\n" + scene("[[expect]]\nqueue = { t = \"2h\", depth = 0 }\n")),
              "invariant: the run comes to an end"));
}

TEST_CASE("disk_op = each: a variant for every operation, and a last one without a crash") {
  const Scenario scenario = load("open = true\n" + scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "process.crash", host = "sut", disk_op = "each", from = "connect", restart = "1s" }
)"));
  const auto results = run_scenario(scenario, {}, {});
  REQUIRE(results.size() > 2);
  for (std::size_t i = 0; i < results.size(); ++i) {
    INFO(failure_report(results[i].recording));
    CHECK(results[i].judgement.ok());
    CHECK(results[i].recording.variant == "disk_op=" + std::to_string(i + 1));
    CHECK(results[i].fault_fired == (i + 1 < results.size()));
  }
  CHECK(run_scenario(scenario, {}, "disk_op=2").size() == 1);
  CHECK(run_scenario(scenario, {}, "other").empty());
  CHECK(run_scenario(load(scene(kSubmit)), {}, "disk_op=2").empty());
}

TEST_CASE("an MTA that does not come up fails the run by name") {
  const std::string report = report_of("title = \"t\"\n[mta.sut]\nlisten = [\"192.0.2.99:25\"]\n");
  CHECK(holds(report, "invariant: every part of the world comes up"));
  CHECK(holds(report, "sut runs"));
  CHECK(holds(report, "listen at 192.0.2.99:25"));
}

TEST_CASE("an MTA that its disk keeps from coming up is no failure by itself") {
  run("title = \"t\"\n[mta.sut]\n" R"(
[[at]]
t = "0s"
fault = { kind = "disk.eio", host = "sut", operation = "*" }
)");
}

TEST_CASE("what a crashed MTA has on its disk is in its queue") {
  const std::string down = scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx1" }
[[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx2" }
[[at]]
t = "1m"
fault = { kind = "process.crash", host = "sut" }
)");
  run(down + "[[expect]]\nend = { queue = 1 }\n[[expect]]\nqueue = { t = \"2m\", rcpt = \"bob@dest.example\", depth = 1, next = \"15m1s\" }\n");
  CHECK(holds(report_of(down + "[[expect]]\nend = { queue = 0 }\n"), "nearest  queue=1"));
}

TEST_CASE("a failed dialogue fails the run at its line") {
  const std::string report = report_of(scene(R"(
[client.raw]
to = "sut"
script = '''
< 220
> NOOP
< 999
'''
)"));
  CHECK(holds(report, "script of raw"));
  CHECK(holds(report, "NOOP"));
}

TEST_CASE("a failure tells its line, what was wanted, what came, and how to see it again") {
  const std::string text =
      scene(std::string(kSubmit) + "[[expect]]\ndelivered = { rcpt = \"bob@dest.example\", at = \"mx2\" }\n");
  const std::string report = report_of(text);
  CAPTURE(report);
  CHECK(report.starts_with("FAIL test.toml seed=1   "));
  const auto line = std::count(text.begin(), text.end(), '\n');
  CHECK(holds(report,
              "  :" + std::to_string(line) + " expect delivered = { rcpt = \"bob@dest.example\", at = \"mx2\" }\n"));
  CHECK(holds(report, "     wanted   1 delivery to bob@dest.example at mx2\n"));
  CHECK(holds(report, "     nearest  mx1 1.0"));
  CHECK(holds(report, "sut > mx1"));
  CHECK(holds(report, "  0 expectations passed\n"));
  CHECK(holds(report, "  replay: postproof run test.toml --seed 1\n"));
}

TEST_CASE("many submissions at once, from a client of the scenario's own") {
  run(scene(R"(
[client.office]
names = ["office.src.example"]
[[at]]
t = "0s"
submit = { to = "sut", from = "alice@src.example", rcpt = ["bob@dest.example", "carol@dest.example"], from_host = "office", count = 10 }
[[expect]]
delivered = { rcpt = "bob@dest.example", count = 10, header = "Received: from office.src.example" }
[[expect]]
delivered = { rcpt = "carol@dest.example", count = 10 }
)"));
}

TEST_CASE("an MTA of IPv6 alone") {
  run(R"(
title = "v6"
[mta.sut]
addresses = ["v6"]
[peer.mx]
names = ["dest.example"]
addresses = ["v4", "v6"]
[[at]]
t = "0s"
submit = { to = "sut", from = "alice@src.example", rcpt = "bob@dest.example" }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx" }
)");
}

TEST_CASE("two MTAs in a row") {
  run(R"(
title = "hop"
[mta.first]
route.smarthost = "[second.example]"
[mta.second]
names = ["second.example"]
[peer.mx]
names = ["dest.example"]
[[at]]
t = "0s"
submit = { to = "first", from = "alice@src.example", rcpt = "bob@dest.example" }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx", header = "Received: from first.example" }
)");
}

TEST_CASE("a recording ends with what the judge told") {
  const RunResult result = run_once(load("title = 'one is missing'\n[[expect]]\nend = { queue = 1 }\n[[expect]]\nend = { connections = 0 }\n"), {});
  const std::vector<Record>& records = result.recording.records;
  REQUIRE(records.size() > 2);
  const auto& failure = std::get<record::Failure>(records[records.size() - 2].what);
  CHECK(failure.line == 3);
  CHECK(failure.expectation == "expect end");
  CHECK(failure.wanted == result.judgement.failures.at(0).wanted);
  const auto& verdict = std::get<record::Verdict>(records.back().what);
  CHECK(verdict.result == "failed");
  CHECK(verdict.held == 1);
  CHECK(verdict.failed == 1);
}

TEST_CASE("what an MTA lacks is no reason to fail: the scenario is skipped, and says why") {
  const auto results = run_scenario(load("needs = ['relay', 'binarymime']\n" + scene(kSubmit)), {}, {});
  REQUIRE(results.size() == 1);
  CHECK(results[0].skipped == "sut lacks binarymime");
  CHECK(results[0].recording.records.empty());
  CHECK(run_scenario(load("needs = ['relay']\nopen = true\n" + scene(kSubmit)), {}, {})[0].skipped == "");
}

TEST_CASE("SMTP keywords are capabilities exactly when EHLO offers them") {
  const RunResult result = run(R"(
title = "keywords"
[mta.sut]
cert               = "valid"
smtp.submission    = true
auth.password_file = "/etc/users"
auth.without_tls   = true
[mta.sut.files]
"/etc/users" = ""
[client.c]
to = "sut"
script = """
< 220
> EHLO c.example
< 250
> QUIT
< 221
"""
)");
  std::string offered;
  for (const Record& record : result.recording.records) {
    const auto* octets = std::get_if<record::Octets>(&record.what);
    if (octets != nullptr && octets->from == Side::acceptor) offered += octets->octets;
  }
  for (const char* keyword : {"PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS", "AUTH", "DSN", "CHUNKING", "BINARYMIME",
                              "SMTPUTF8", "REQUIRETLS", "DELIVERBY", "MT-PRIORITY"}) {
    CAPTURE(keyword);
    const bool here = offered.find(std::string("250-") + keyword) != std::string::npos || offered.find(std::string("250 ") + keyword) != std::string::npos;
    CHECK(here == has_capability(ascii_lower(keyword)));
  }
}

TEST_CASE("peers that are like each other have one memory") {
  run(R"(
title = "greylisted at one, known at the other"
[dns]
zone = """
dest.example. MX 10 mx1.dest.example.
dest.example. MX 20 mx2.dest.example.
"""
[mta.sut]
retry.schedule = ["15m"]
retry.jitter = 0
[peer.mx1]
names = ["mx1.dest.example"]
rules = [{ on = "RCPT", first_seen = "10m", reply = "450 4.2.0 greylisted" }]
[peer.mx2]
names = ["mx2.dest.example"]
like = "mx1"
[[at]]
t = "0s"
submit = { to = "sut", from = "", rcpt = "bob@dest.example" }
[[at]]
t = "1m"
fault = { kind = "tcp.refuse", host = "mx1" }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx2", when = "15m" }
)");
}

TEST_CASE("a fault of a peer ends by itself, and strikes nobody else") {
  run(scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "smtp.reply", host = "mx1", on = "RCPT", reply = "450 4.2.0 not now", for = "20m" }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx1", when = "30m1s" }
[[expect]]
attempts = { rcpt = "bob@dest.example", when = ["1s", "15m1s", "30m1s"] }
)"));
}

TEST_CASE("a group of seeds is judged as one; its rates and distributions over all of it") {
  const std::string equal = R"(seeds = 40
title = "test"
[dns]
zone = """
dest.example. MX 10 mx1.dest.example.
dest.example. MX 10 mx2.dest.example.
"""
[mta.sut]
[peer.mx1]
names = ["mx1.dest.example"]
[peer.mx2]
names = ["mx2.dest.example"]
)" + std::string(kSubmit);
  const auto good = run_scenario(load(equal + R"(
[[expect]]
delivered = { rcpt = "bob@dest.example" }
[[expect]]
distribution = { over = ["mx1", "mx2"], tolerance = 0.25 }
[[expect]]
rate = { delivered = { rcpt = "bob@dest.example", at = "mx2" }, min = 0.25, max = 0.75 }
)"), {}, {});
  REQUIRE(good.size() == 1);
  CHECK(failure_report(good[0].recording) == "");
  CHECK(good[0].judgement.passed == 3);

  const auto bad = run_scenario(load(equal + R"(
[[expect]]
distribution = { over = ["mx1", "mx2"], shares = [0.99, 0.01], tolerance = 0.01 }
[[expect]]
rate = { delivered = { rcpt = "bob@dest.example", at = "mx2" }, min = 0.99 }
)"), 100, {});
  REQUIRE(bad.size() == 1);
  const std::string report = failure_report(bad[0].recording);
  CHECK(holds(report, "expect distribution"));
  CHECK(holds(report, "connect over mx1 99.0 %, mx2 1.0 %, each ±1.0 %"));
  CHECK(holds(report, "40 in 40 runs: mx1 "));
  CHECK(holds(report, "holds in 99.0 to 100.0 % of the runs"));
  CHECK(holds(report, "of 40 seeds; not with seed 10"));

  CHECK(holds(report, "seed=100 of 100 to 139 "));
  CHECK(holds(report, "--seed 100\n"));

  // What one seed fails is the group's failure; the group replays it, and each of its runs is told of.
  std::vector<std::uint64_t> told;
  const auto one = run_scenario(load(equal + R"(
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx1" }
)"), 7, {}, [&](const RunResult& result) { told.push_back(result.recording.seed); });
  CHECK_FALSE(one[0].judgement.ok());
  CHECK(one[0].recording.seed > 7);
  CHECK(holds(failure_report(one[0].recording), fmt::format("seed={} of 7 to 46 ", one[0].recording.seed)));
  CHECK(holds(failure_report(one[0].recording), "--seed 7\n"));
  CHECK(told.size() == 40);
  CHECK(told.back() == 46);
}

TEST_CASE("a run for each disk operation of each combination") {
  const auto variants = load_variants("test.toml", "open = true\nmatrix = { ip = ['v4', 'v6'] }\n" + scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "process.crash", host = "sut", disk_op = "each", from = "connect", restart = "1s" }
)"));
  REQUIRE(variants);
  const Scenario& v6 = variants->back();
  CHECK(run_scenario(v6, {}, "ip=v4 disk_op=2").empty());
  const auto second = run_scenario(v6, {}, "v6,2");
  REQUIRE(second.size() == 1);
  CHECK(second[0].recording.variant == "ip=v6 disk_op=2");
  CHECK(run_scenario(v6, {}, "ip=v6").size() > 2);
}

TEST_CASE("a failed wire expectation shows the lines around the place, and the fault's own") {
  const std::string report = report_of("open = true\n" + scene(std::string(kSubmit) + R"(
[[at]]
t = "0s"
fault = { kind = "smtp.keywords", host = "mx1", remove = ["PIPELINING"] }
[[expect]]
wire = { from = "sut", to = "mx1", lines = ["> MAIL FROM:*", "> RCPT TO:*"] }
)"));
  CHECK(holds(report, "in a row on a connection from sut to mx1 | > MAIL FROM:* | > RCPT TO:*"));
  CHECK(holds(report, "1 of 2 lines, then not \"> RCPT TO:*\""));
  CHECK(holds(report, "250 2.1.0 sender ok"));
  CHECK(holds(report, "smtp.keywords"));
}

}  // namespace postproof::sim
