#include "tests/sim/serve/scene.h"

#include "sim/serve/announce.h"

namespace postproof::sim {

namespace {

using namespace std::chrono_literals;

constexpr const char* kHosts = R"(
title = "test"
[dns]
zone = '''
dest.example. MX 10 mx1.dest.example.
dest.example. MX 20 mx2.dest.example.
src.example.  MX 10 home.src.example.
'''
[mta.sut]
retry.schedule = ["5m"]
retry.jitter   = 0
[peer.home]
names = ["home.src.example"]
[peer.mx2]
names = ["mx2.dest.example"]
[[at]]
t      = "1s"
submit = { to = "sut", from = "alice@src.example", rcpt = ["bob@dest.example", "gone@dest.example"] }
[peer.mx1]
names = ["mx1.dest.example"]
)";

constexpr const char* kRefuses = R"(
rules = [{ on = "connect", reply = "421 4.3.2 not now" }]
[[expect]]
delivered = { rcpt = "*", at = "mx2", count = 2, when = ["1s", "1s"] }
[[expect]]
never = { event = "command", at = "mx1", match = "MAIL*" }
)";

constexpr const char* kFates = R"(
rules = [{ on = "RCPT", match = "gone@*", reply = "550 5.1.1 no such user" },
         { on = "RCPT", times = 1, reply = "450 4.2.0 later" }]
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx1", when = "5m1s" }
[[expect]]
dsn = { to = "alice@src.example", at = "home", final = "gone@dest.example", action = "failed", status = "5.1.1" }
)";

std::string text_of(const RunResult& result) { return verdict_text(result); }
bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("a scenario is judged from what crosses its own hosts' sockets") {
  Scene scene(std::string(kHosts) + kRefuses);
  const RunResult result = scene.play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
  CHECK(result.judgement.passed == 2);
  CHECK(scene.announced == 1);
  CHECK(result.recording.variant == "serve");
  CHECK(result.virtual_time < 6s);  // it settled
}

TEST_CASE("what is acknowledged and has no end yet holds the run up, for as long as retries take") {
  const RunResult result = Scene(std::string(kHosts) + kFates).play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
  CHECK(result.virtual_time > 5min);
}

TEST_CASE("an expectation that does not hold fails, with what came nearest and the command that repeats it") {
  const RunResult result =
      Scene(std::string(kHosts) + "[[expect]]\ndelivered = { rcpt = \"*\", at = \"mx2\" }\n").play();
  CHECK_FALSE(result.judgement.ok());
  const std::string text = text_of(result);
  INFO(text);
  CHECK(holds(text, "wanted   1 delivery to * at mx2"));
  CHECK(holds(text, "closed world"));
  CHECK(holds(text, "postproof serve test.toml"));
}

TEST_CASE("what only the MTA could tell is named as not judged, and fails nothing") {
  const RunResult result = Scene(std::string(kHosts) + R"(
[[expect]]
delivered = { rcpt = "*", at = "mx1", count = 2 }
[[expect]]
attempts = { rcpt = "bob@dest.example", count = 7 }
[[expect]]
queue = { depth = 7 }
[[expect]]
never = { event = "accepted" }
[[expect]]
end = { queue = 7 }
[[expect]]
end = { connections = 0 }
)").play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
  CHECK(result.judgement.passed == 2);
  REQUIRE(result.judgement.unjudged.size() == 4);
  CHECK(result.judgement.unjudged[0].expectation == "expect attempts");
  CHECK(result.judgement.unjudged[0].line == 25);
}

TEST_CASE("an MTA that loses what it has acknowledged is found out at the limit") {
  ServeOptions options;
  options.limit = 2min;
  const RunResult result = Scene(std::string(kHosts) + R"(
rules = [{ on = "RCPT", reply = "450 4.2.0 never" }]
)", options).play();
  CHECK_FALSE(result.judgement.ok());
  const std::string text = text_of(result);
  INFO(text);
  CHECK(holds(text, "MTA sut: a message from <alice@src.example> for <bob@dest.example>, neither delivered nor reported"));
}

TEST_CASE("an MTA that does not come up is told, with where it was looked for") {
  Scene scene(std::string(kHosts) + kRefuses);
  scene.mta_runs = false;
  const RunResult result = scene.play();
  CHECK_FALSE(result.judgement.ok());
  const std::string text = text_of(result);
  INFO(text);
  CHECK(holds(text, "nobody takes connections at 10.0.1.1:25 within 1m"));
}

TEST_CASE("an interrupt ends it in order, and what was pending is told") {
  Scene scene(std::string(kHosts) + kFates);
  scene.interrupt_at = 10s;
  const RunResult result = scene.play();
  CHECK_FALSE(result.judgement.ok());
  CHECK(result.virtual_time < 11s);
  const std::string text = text_of(result);
  INFO(text);
  CHECK(holds(text, "interrupted; pending: MTA sut: a message from <alice@src.example> for <bob@dest.example>"));

  Scene idle(std::string(kHosts) + kRefuses);  // nothing is pending: all has been seen
  idle.interrupt_at = 3s;
  CHECK(idle.play().judgement.ok());
}

TEST_CASE("with --stay only the limit ends it") {
  ServeOptions options;
  options.stay = true;
  options.limit = 90s;
  const RunResult result = Scene(std::string(kHosts) + kRefuses, options).play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
  CHECK(result.virtual_time >= 90s);
}

TEST_CASE("faults of the DNS strike and end, dialogues are followed, against the MTA and a peer") {
  const RunResult result = Scene(std::string(kHosts) + R"(
[client.raw]
to     = "sut"
script = '''
< 220
> EHLO raw.example
< 250
> QUIT
< 221
! eof within 5m
'''
[client.direct]
to     = "mx2"
start  = "2s"
script = '''
< 220
> EHLO direct.example
< 250
> QUIT
< 221
'''
[[at]]
t     = "0s"
fault = { kind = "dns.servfail", name = "dest.example", for = "4m" }
[[expect]]
delivered = { rcpt = "*", at = "mx1", count = 2, when = ["5m1s", "5m1s"] }
[[expect]]
end = { connections = 0 }
)").play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
  // One recording of the connection between two hosts of the scenario.
  std::size_t direct = 0;
  for (const Record& record : result.recording.records) {
    const auto* dial = std::get_if<record::Dial>(&record.what);
    if (dial == nullptr || dial->from_node != "direct") continue;
    ++direct;
    CHECK(dial->to_node == "mx2");
  }
  CHECK(direct == 1);
}

TEST_CASE("a null sender's failure, which nobody is told of, is no loss") {
  const RunResult result = Scene(R"(
title = "test"
[mta.sut]
[peer.mx]
names = ["dest.example"]
rules = [{ on = "RCPT", reply = "550 5.1.1 no" }]
[[at]]
t      = "0s"
submit = { to = "sut", from = "", rcpt = "bob@dest.example" }
)").play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
}

}  // namespace postproof::sim
