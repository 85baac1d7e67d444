// Each expectation is seen holding and seen failing, and its failure says what was wanted and what came nearest.
#include <doctest/doctest.h>

#include "tests/sim/judge/story.h"

namespace postproof::sim::test {

namespace {

using namespace std::chrono_literals;

Story delivery() {
  Story story;
  story.pass(15min);
  story.simple_delivery();
  story.end();
  return story;
}

Story bounce() {
  Story story;
  story.simple_bounce();
  story.end();
  return story;
}

// One expectation against one story; the closed world is kept out of it.
Judgement judged(Story story, auto expect) {
  story.scenario.open = true;
  story.expect(std::move(expect), 42);
  return story.judged();
}

}  // namespace

TEST_CASE("delivered: every condition holds and fails") {
  struct Case {
    const char* what;
    void (*bend)(ExpectDelivered&);
    bool holds;
    const char* nearest;  // part of it, where it fails
  };
  const Case cases[] = {
      {"as it was", [](ExpectDelivered&) {}, true, ""},
      {"at its peer", [](ExpectDelivered& e) { e.at = "mx"; }, true, ""},
      {"at another", [](ExpectDelivered& e) { e.at = "home"; }, false, "at mx"},
      {"domain without case", [](ExpectDelivered& e) { e.rcpt = "bob@DEST.example"; }, true, ""},
      {"local part with case", [](ExpectDelivered& e) { e.rcpt = "Bob@dest.example"; }, false, "nothing"},
      {"pattern", [](ExpectDelivered& e) { e.rcpt = "*@dest.example"; }, true, ""},
      {"from", [](ExpectDelivered& e) { e.from = "alice@src.example"; }, true, ""},
      {"from the null sender", [](ExpectDelivered& e) { e.from = "<>"; }, false, "from <alice@src.example>"},
      {"never", [](ExpectDelivered& e) { e.count = 0; }, false, "1 delivery"},
      {"twice", [](ExpectDelivered& e) { e.count = 2; }, false, "1 delivery"},
      {"at its time",
       [](ExpectDelivered& e) {
         e.when = {{15min, 1s}};
       },
       true, ""},
      {"too early",
       [](ExpectDelivered& e) {
         e.when = {{14min, 1s}};
       },
       false, "mx 15m00."},
      {"at two times",
       [](ExpectDelivered& e) {
         e.when = {{15min, 1s}, {16min, 1s}};
       },
       false, "1 delivery"},
      {"contains", [](ExpectDelivered& e) { e.contains = {"hi\n\nbo"}; }, true, ""},
      {"contains not", [](ExpectDelivered& e) { e.contains = {"hello"}; }, false, "does not contain \"hello\""},
      {"header", [](ExpectDelivered& e) { e.header = {"subject: hi"}; }, true, ""},
      {"folded header", [](ExpectDelivered& e) { e.header = {"Received: by sut.example with ESMTP"}; }, true, ""},
      {"header not", [](ExpectDelivered& e) { e.header = {"Subject: ho"}; }, false, "Subject: \"hi\""},
      {"no header", [](ExpectDelivered& e) { e.header = {"X-No: 1"}; }, false, "has no header field X-No"},
      {"body", [](ExpectDelivered& e) { e.body = "Subject: hi\n\nbody"; }, true, ""},
      {"body not", [](ExpectDelivered& e) { e.body = "Subject: hi\n\nbod"; }, false, "its content is"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    ExpectDelivered expect = delivered_to("bob@dest.example");
    c.bend(expect);
    const Judgement judgement = judged(delivery(), expect);
    CHECK(judgement.ok() == c.holds);
    CHECK(judgement.passed == (c.holds ? 1 : 0));
    if (c.holds) continue;
    REQUIRE(judgement.failures.size() == 1);
    CHECK(judgement.failures[0].line == 42);
    CHECK(judgement.failures[0].expectation == "expect delivered");
    CHECK(judgement.failures[0].nearest.find(c.nearest) != std::string::npos);
  }
}

TEST_CASE("delivered: a report is none") { CHECK_FALSE(judged(bounce(), delivered_to("alice@src.example")).ok()); }

TEST_CASE("delivered: what became of the recipient instead is told") {
  const Judgement judgement = judged(bounce(), delivered_to("gone@dest.example"));
  REQUIRE(judgement.failures.size() == 1);
  CHECK(judgement.failures[0].nearest.find("sut bounced at") != std::string::npos);
}

TEST_CASE("dsn: every condition holds and fails") {
  struct Case {
    const char* what;
    void (*bend)(ExpectDsn&);
    bool holds;
    const char* nearest;
  };
  const Case cases[] = {
      {"as it was", [](ExpectDsn&) {}, true, ""},
      {"all fields",
       [](ExpectDsn& e) {
         e.at = "home", e.action = "failed", e.final = "gone@dest.example", e.status = "5.1.?", e.remote = "mx.*";
         e.diagnostic = "550 5.1.1*", e.contains = {"Reporting-MTA"}, e.when = {{0s, 1s}};
       },
       true, ""},
      {"typed", [](ExpectDsn& e) { e.final = "rfc822; gone@*", e.diagnostic = "smtp; 550*"; }, true, ""},
      {"to another", [](ExpectDsn& e) { e.to = "carol@src.example"; }, false, "to <alice@src.example>"},
      {"at another", [](ExpectDsn& e) { e.at = "mx"; }, false, "at home"},
      {"action", [](ExpectDsn& e) { e.action = "delayed"; }, false, "action=failed"},
      {"final", [](ExpectDsn& e) { e.final = "bob@*"; }, false, "final=gone@dest.example"},
      {"status", [](ExpectDsn& e) { e.status = "4.*"; }, false, "status=5.1.1"},
      {"remote", [](ExpectDsn& e) { e.remote = "mx2.*"; }, false, "remote=mx.example"},
      {"diagnostic", [](ExpectDsn& e) { e.diagnostic = "551*"; }, false, "diagnostic=smtp; 550"},
      {"contains", [](ExpectDsn& e) { e.contains = {"xyz"}; }, false, "does not contain"},
      {"a field that is absent", [](ExpectDsn& e) { e.envid = "*"; }, false, "envid=(none)"},
      {"another", [](ExpectDsn& e) { e.original = "*"; }, false, "original=(none)"},
      {"two", [](ExpectDsn& e) { e.count = 2; }, false, "1 report"},
      {"none", [](ExpectDsn& e) { e.count = 0; }, false, "1 report"},
      {"late",
       [](ExpectDsn& e) {
         e.when = {{1h, 1s}};
       },
       false, "1 report at"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    ExpectDsn expect = dsn_to("alice@src.example");
    c.bend(expect);
    const Judgement judgement = judged(bounce(), expect);
    CHECK(judgement.ok() == c.holds);
    if (c.holds) continue;
    REQUIRE(judgement.failures.size() == 1);
    CHECK(judgement.failures[0].nearest.find(c.nearest) != std::string::npos);
  }
  CHECK(judged(delivery(), dsn_to("alice@src.example")).failures.at(0).nearest.starts_with("nothing"));
}

TEST_CASE("attempts: all of them, in order") {
  const auto check = [](std::vector<When> when, std::optional<std::uint64_t> count) {
    Story story;
    story.attempt("bob@dest.example");
    story.pass(15min);
    story.attempt("bob@dest.example");
    story.attempt("other@dest.example");
    story.end();
    ExpectAttempts expect;
    expect.rcpt = "bob@dest.example";
    expect.when = std::move(when);
    expect.count = count;
    return judged(story, expect);
  };
  CHECK(check({{0s, 1s}, {15min, 1s}}, {}).ok());
  CHECK(check({}, 2).ok());
  CHECK_FALSE(check({}, 3).ok());
  CHECK_FALSE(check({{0s, 1s}}, {}).ok());
  const Judgement late = check({{0s, 1s}, {16min, 1s}}, {});
  REQUIRE(late.failures.size() == 1);
  CHECK(late.failures[0].wanted.find("16m") != std::string::npos);
  CHECK(late.failures[0].nearest.find("15m") != std::string::npos);
}

TEST_CASE("queue: at a moment and at the end") {
  Story story;
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  story.pass(1min);
  const Duration looked = story.now;
  story.queued("bob@dest.example", 15min);
  story.pass(1h);
  story.queued("bob@dest.example", 2h);
  story.end("limit", "MTA sut: 1 message in its queue");

  ExpectQueue expect;
  expect.depth = 1;
  CHECK(judged(story, expect).ok());
  expect.rcpt = "bob@dest.example";
  expect.next = When{2h, 1s};
  CHECK(judged(story, expect).ok());
  expect.next = When{3h, 1s};
  CHECK(failed(judged(story, expect)) == "expect queue\n");

  ExpectQueue then;
  then.t = looked;
  then.next = When{15min, 1s};
  expect = ExpectQueue{};
  expect.depth = 1;
  story.expect(expect);  // so that the run may end with work left
  CHECK(judged(story, then).ok());
  then.depth = 2;
  CHECK(failed(judged(story, then)) == "expect queue\n");
}

TEST_CASE("never: on the wire and among events") {
  const auto never = [](const char* event, const char* at, const char* match) {
    ExpectNever expect;
    expect.event = event;
    expect.at = at;
    expect.match = match;
    return expect;
  };
  struct Case {
    const char *event, *at, *match;
    bool holds;
  };
  const Case cases[] = {
      {"data", "mx", "*", false},       {"data", "home", "*", true},
      {"data", "mx", "*body*", false},  {"data", "mx", "*other*", true},
      {"connect", "mx", "*", false},    {"connect", "home", "*", true},
      {"command", "mx", "RSET*", true}, {"command", "mx", "rcpt to:<bob@*", false},
      {"reply", "mx", "5*", true},      {"reply", "mx", "354 *", false},
      {"delivered", "", "*", false},    {"delivered", "mx", "*", false},
      {"delivered", "home", "*", true}, {"delivered", "", "carol@*", true},
      {"bounced", "", "*", true},       {"accepted", "sut", "alice@src.example", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.event);
    CAPTURE(c.at);
    CAPTURE(c.match);
    CHECK(judged(delivery(), never(c.event, c.at, c.match)).ok() == c.holds);
  }
  Story story = delivery();
  story.recording.records.pop_back();
  story.add(record::Dns{"dns", "sut", "dest.example", "MX", "udp", "noerror"});
  story.end();
  CHECK(failed(judged(story, never("dns-query", "", "dest.example"))) == "expect never\n");
  CHECK(judged(story, never("dns-query", "", "src.example")).ok());
}

TEST_CASE("never: an event of a session is at the host that the session is with") {
  Story story;
  story.scenario.peers[0].addresses = {*IpAddress::parse("10.0.2.1")};
  story.hang_up(story.dial("client", "sut"));
  story.event("connect", {{"session", "1"}, {"direction", "out"}, {"host", "mx.example"}, {"peer", "10.0.2.1:25"}, {"result", "ok"}});
  story.event("tls", {{"session", "1"}, {"direction", "out"}, {"result", "ok"}});
  story.event("connect", {{"session", "2"}, {"direction", "in"}, {"host", ""}, {"peer", "10.0.0.1:49152"}, {"result", "ok"}});
  story.event("close", {{"session", "2"}, {"direction", "in"}, {"reason", "quit"}});
  // The MTA has been started anew: sessions count from 1 again.
  story.event("connect", {{"session", "1"}, {"direction", "in"}, {"host", ""}, {"peer", "10.0.0.1:49153"}, {"result", "ok"}});
  story.event("auth", {{"session", "1"}, {"direction", "in"}, {"peer", "10.0.0.1:49153"}, {"result", "ok"}});
  story.end();
  struct Case {
    const char *event, *at;
    bool holds;
  };
  for (const Case& c : {Case{"tls", "mx", false}, Case{"tls", "home", true}, Case{"tls", "client", true}, Case{"close", "client", false},
                        Case{"close", "mx", true}, Case{"auth", "client", false}, Case{"auth", "mx", true}, Case{"close", "sut", false}}) {
    CAPTURE(c.event);
    CAPTURE(c.at);
    ExpectNever expect;
    expect.event = c.event;
    expect.at = c.at;
    // The invariants have their own opinion of events without a wire.
    CHECK((failed(judged(story, expect)).find("expect never") == std::string::npos) == c.holds);
  }
}

TEST_CASE("tls: handshakes, by what both sides tell") {
  Story story;
  const ConnectionId good = story.dial("sut", "mx");
  story.add(record::Tls{good, Side::acceptor, "mx", "established", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "mx.example", "", ""});
  story.add(record::Tls{good, Side::opener, "sut", "established", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "mx.example",
                        "certificate has expired", ""});
  story.add(record::Tls{good, Side::opener, "sut", "closed", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "mx.example", "", ""});
  const ConnectionId bad = story.dial("sut", "home");
  story.add(record::Tls{bad, Side::opener, "sut", "failed", "", "", "home.example", "", "no shared cipher"});
  story.event("tls", {{"result", "ok"}, {"version", "TLSv1.3"}, {"cipher", "TLS_AES_256_GCM_SHA384"}});
  story.end();
  struct Case {
    ExpectTls expect;
    bool holds;
  };
  const auto with = [](auto change) {
    ExpectTls expect;
    change(expect);
    return expect;
  };
  const Case cases[] = {
      {with([](ExpectTls&) {}), true},
      {with([](ExpectTls& e) { e.count = 2; }), true},
      {with([](ExpectTls& e) { e.at = "mx", e.count = 1; }), true},
      {with([](ExpectTls& e) { e.at = "mx", e.result = "failed"; }), false},
      {with([](ExpectTls& e) { e.from = "sut", e.result = "failed", e.count = 1; }), true},
      {with([](ExpectTls& e) { e.from = "mx"; }), false},
      {with([](ExpectTls& e) { e.version = "TLSv1.?", e.cipher = "*GCM*", e.count = 1; }), true},
      {with([](ExpectTls& e) { e.version = "TLSv1.2"; }), false},
      {with([](ExpectTls& e) { e.at = "home", e.version = "*"; }), false},  // a handshake that came to none
      {with([](ExpectTls& e) { e.at = "home", e.cipher = "*"; }), false},
      {with([](ExpectTls& e) { e.at = "home", e.verified = "*"; }), false},
      {with([](ExpectTls& e) { e.verified = "*expired", e.sni = "mx.*"; }), true},
      {with([](ExpectTls& e) { e.verified = "ok"; }), false},
      {with([](ExpectTls& e) { e.detail = "sut: no shared cipher"; }), true},
  };
  for (const Case& c : cases) {
    CAPTURE(&c - cases);
    CHECK(judged(story, c.expect).ok() == c.holds);
  }
}

TEST_CASE("end: queue, connections and time") {
  ExpectEnd expect;
  expect.queue = 0;
  expect.connections = 0;
  CHECK(judged(delivery(), expect).ok());
  expect.connections = 1;
  CHECK(failed(judged(delivery(), expect)) == "expect end\n");
  expect.connections.reset();
  expect.when = When{15min, 1s};
  CHECK(judged(delivery(), expect).ok());
  expect.when = When{16min, 1s};
  CHECK(failed(judged(delivery(), expect)) == "expect end\n");
}

TEST_CASE("dsn: the fields of the message, the dates, and what is returned") {
  const auto story = [] {
    Story made;
    made.accepted("0001000000000001", "alice@src.example");
    Transfer t;
    t.recipients = {"gone@dest.example"};
    made.hand_over(t);
    made.attempt("gone@dest.example");
    made.bounced("0001000000000001", "gone@dest.example");
    made.accepted("0001000000000002", "", "0", "0001000000000001");
    Transfer dsn;
    dsn.to_node = "home";
    dsn.sender = "";
    dsn.recipients = {"alice@src.example"};
    dsn.content = Story::report("alice@src.example", "gone@dest.example", "Subject: hi\r\n");
    const auto put = [&](std::string_view before, std::string_view fields) { dsn.content.insert(dsn.content.find(before), fields); };
    put("Reporting-MTA", "Original-Envelope-Id: E1\r\nArrival-Date: Thu, 1 Jan 2026 00:10:00 +0000\r\n");
    put("Action:", "Original-Recipient: rfc822; was@dest.example\r\nLast-Attempt-Date: Thu, 01 Jan 2026 01:20:00 +0100\r\n"
                   "Will-Retry-Until: 6 Jan 2026 00:10:00 +0000\r\n");
    made.transfer(dsn);
    made.delivered("alice@src.example");
    made.recording.start = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1).time_since_epoch());
    made.end();
    return made;
  }();
  struct Case {
    const char* what;
    void (*bend)(ExpectDsn&);
    bool holds;
    const char* nearest;
  };
  const Case cases[] = {
      {"envid", [](ExpectDsn& e) { e.envid = "E1"; }, true, ""},
      {"another envid", [](ExpectDsn& e) { e.envid = "e1"; }, false, "envid=E1"},
      {"original", [](ExpectDsn& e) { e.original = "was@*"; }, true, ""},
      {"another original", [](ExpectDsn& e) { e.original = "gone@*"; }, false, "original=rfc822; was@dest.example"},
      {"reporting", [](ExpectDsn& e) { e.reporting = "sut.example"; }, true, ""},
      {"another reporter", [](ExpectDsn& e) { e.reporting = "mx.*"; }, false, "reporting=sut.example"},
      {"headers", [](ExpectDsn& e) { e.ret = "headers"; }, true, ""},
      {"all of it", [](ExpectDsn& e) { e.ret = "full"; }, false, "ret=headers"},
      {"arrival", [](ExpectDsn& e) { e.arrival = When{10min, 1s}; }, true, ""},
      {"another arrival", [](ExpectDsn& e) { e.arrival = When{11min, 1s}; }, false, "arrival=10m00.000s"},
      {"last attempt", [](ExpectDsn& e) { e.last_attempt = When{20min, 1s}; }, true, ""},
      {"another last attempt", [](ExpectDsn& e) { e.last_attempt = When{80min, 1s}; }, false, "last_attempt=20m00.000s"},
      {"retried until", [](ExpectDsn& e) { e.retry_until = When{120h + 10min, 1s}; }, true, ""},
      {"retried until then", [](ExpectDsn& e) { e.retry_until = When{120h, 1s}; }, false, "retry_until=5d00h10m00.000s"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    ExpectDsn expect = dsn_to("alice@src.example");
    c.bend(expect);
    const Judgement judgement = judged(story, expect);
    CHECK(judgement.ok() == c.holds);
    if (c.holds || judgement.failures.empty()) continue;
    CAPTURE(judgement.failures[0].nearest);
    CHECK(judgement.failures[0].nearest.find(c.nearest) != std::string::npos);
  }
  CHECK_FALSE(judged(bounce(), [] { ExpectDsn e = dsn_to("alice@src.example"); e.envid = "*"; e.arrival = When{}; return e; }()).ok());
}

}  // namespace postproof::sim::test
