#include "tests/sim/serve/scene.h"

#include "sim/serve/announce.h"
#include "sim/view/text_view.h"

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

TEST_CASE("what an MTA says within TLS is told by the peer that reads it") {
  Scene scene(std::string(kHosts) + R"(
tls = { version = "1.3" }
[[expect]]
delivered = { rcpt = "*", at = "mx1", count = 2, tls = "encrypted" }
[[expect]]
tls = { from = "sut", at = "mx1", result = "established", version = "TLSv1.3", sni = "mx1.dest.example", count = 1 }
[[expect]]
never = { event = "command", at = "mx1", match = "MAIL*", tls = "none" }
[[expect]]
tls = { at = "mx1", verified = "ok" }
[[expect]]
delivered = { rcpt = "*", at = "mx1", tls = "verified", count = 7 }
[[expect]]
resource = { of = "datagrams", host = "sut", min = 2 }
)");
  const RunResult result = scene.play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
  CHECK(result.judgement.passed == 4);
  CHECK(result.judgement.unjudged.size() == 2);
  CHECK(scene.authority.starts_with("-----BEGIN CERTIFICATE-----"));
  std::string heard, keys;
  for (const Record& record : result.recording.records) {
    const auto* plain = std::get_if<record::Plain>(&record.what);
    if (plain != nullptr && plain->from == Side::opener) heard += plain->octets;
    const auto* key = std::get_if<record::TlsKey>(&record.what);
    if (key != nullptr) keys += key->line + "\n";
  }
  CHECK(holds(heard, "MAIL FROM:<alice@src.example>"));
  CHECK(holds(keys, "CLIENT_TRAFFIC_SECRET_0 "));
  // Each line once, and none as octets of TLS besides.
  const std::string text = text_view(result.recording);
  CHECK(holds(text, "MAIL FROM:<alice@src.example>"));
  const std::size_t begin = text.find("TLS established"), end = text.find("TLS closed");
  REQUIRE(begin < end);
  CHECK_FALSE(holds(text.substr(begin, end - begin), "TLS, "));
}

TEST_CASE("TLS between two hosts of the scenario is told once") {
  const RunResult result = Scene(std::string(kHosts) + R"(
cert = "valid"
[client.direct]
to     = "mx1"
script = '''
< 220
> EHLO direct.example
< 250
> STARTTLS
< 220
! tls
> EHLO direct.example
< 250
> QUIT
< 221
'''
[[expect]]
delivered = { rcpt = "*", at = "mx1", count = 2 }
)").play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
  std::size_t ehlos = 0, keys = 0;
  ConnectionId direct = 0;
  for (const Record& record : result.recording.records) {
    const auto* dial = std::get_if<record::Dial>(&record.what);
    if (dial != nullptr && dial->from_node == "direct") direct = dial->connection;
    const auto* plain = std::get_if<record::Plain>(&record.what);
    if (plain != nullptr && plain->connection == direct && plain->octets == "EHLO direct.example\r\n") ++ehlos;
    const auto* key = std::get_if<record::TlsKey>(&record.what);
    if (key != nullptr && key->connection == direct && key->line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")) ++keys;
  }
  CHECK(direct != 0);
  CHECK(ehlos == 1);
  CHECK(keys == 1);
}

TEST_CASE("a policy that forbids clear text is judged on the wire") {
  const std::string with = std::string(kHosts) + "[[expect]]\ndelivered = { rcpt = \"*\", at = \"mx1\", count = 2 }\n";
  std::string demands = with;
  demands.replace(demands.find("[mta.sut]"), 9, "[mta.sut]\ntls.client = \"require\"");
  Scene scene(demands);
  scene.configure = [](Config& config) { config.router.tls.level = tls::Level::may; };  // as its operator had it
  const RunResult result = scene.play();
  CHECK_FALSE(result.judgement.ok());
  CHECK(holds(text_of(result), "no clear text where policy forbids it"));
}

TEST_CASE("faults of SMTP and TLS strike at peers, and end") {
  const RunResult result = Scene(std::string(kHosts) + R"(
cert = "valid"
[[at]]
t     = "0s"
fault = { kind = "smtp.reply", host = "mx1", on = "RCPT", reply = "450 4.2.0 later", for = "4m" }
[[at]]
t     = "0s"
fault = { kind = "smtp.reply", host = "mx2", on = "RCPT", reply = "450 4.2.0 later", for = "4m" }
[[at]]
t     = "2m"
fault = { kind = "tls.refuse", host = "mx1", for = "1h" }
[[expect]]
delivered = { rcpt = "*", at = "mx1", count = 2, when = ["5m1s", "5m1s"], tls = "none" }
)").play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
  std::string told;
  for (const Record& record : result.recording.records) {
    const auto* fault = std::get_if<record::Fault>(&record.what);
    if (fault != nullptr && fault->where == "mx1") told += fault->kind + " " + fault->detail + "\n";
  }
  INFO(told);
  CHECK(holds(told, "smtp.reply begins\n"));
  CHECK(holds(told, "smtp.reply ends\ntls.refuse strikes\n"));
}

TEST_CASE("a peer that refuses connections is not there, and then is again") {
  const RunResult result = Scene(std::string(kHosts) + R"(
[[at]]
t     = "0s"
fault = { kind = "tcp.refuse", host = "mx1", for = "1m" }
[[at]]
t     = "0s"
fault = { kind = "tcp.refuse", host = "mx1", for = "30s" }
[[at]]
t     = "0s"
fault = { kind = "tcp.refuse", host = "mx2", port = 26, for = "1h" }
[[at]]
t      = "40s"
submit = { to = "sut", from = "alice@src.example", rcpt = "early@dest.example" }
[[at]]
t      = "2m"
submit = { to = "sut", from = "alice@src.example", rcpt = "late@dest.example" }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx2", when = "1s" }
[[expect]]
delivered = { rcpt = "gone@dest.example", at = "mx2", when = "1s" }
[[expect]]
delivered = { rcpt = "early@dest.example", at = "mx2", when = "40s" }
[[expect]]
delivered = { rcpt = "late@dest.example", at = "mx1", when = "2m" }
[[expect]]
never = { event = "connect", at = "mx1", until = "1m" }
)").play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
}

TEST_CASE("an MTA that listens at IPv6 is handed its mail from there, and delivers there") {
  Scene scene(R"(
title = "test"
[mta.sut]
addresses = "v6"
[peer.mx]
names     = ["dest.example"]
addresses = "v6"
[[at]]
t      = "0s"
submit = { to = "sut", from = "", rcpt = "bob@dest.example" }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx", when = "0s" }
)");
  scene.mta_asks_from = IpAddress::parse("10.7.7.7");
  const RunResult result = scene.play();
  INFO(text_of(result));
  CHECK(result.judgement.ok());
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
