// What crossed wires, headers, the log, the resolver and resources: each expectation is seen holding and failing, and
// its failure says what was wanted and what came nearest.
#include <doctest/doctest.h>

#include "sim/judge/trace_field.h"
#include "tests/sim/judge/story.h"

namespace postproof::sim::test {

namespace {

using namespace std::chrono_literals;

Story delivery() {
  Story story;
  story.pass(15min);
  story.add(record::Dns{"dns", "sut", "dest.example", "MX", "udp", "noerror: MX 10 mx.example"});
  story.add(record::Dns{"dns", "sut", "mx.example", "A", "udp", "noerror: A 10.0.0.2"});
  story.add(record::Datagram{"sut", "dns", {}, {}, "q", false});
  story.add(record::DiskOperation{"sut", 1, "write", "/spool/a", 0, 10, "ok"});
  story.add(record::DiskOperation{"sut", 2, "sync", "/spool/a", 0, 0, "ok"});
  story.simple_delivery();
  story.end();
  return story;
}

template <class Expectation>
struct Case {
  const char* what;
  void (*bend)(Expectation&);
  bool holds;
  const char* nearest = "";  // part of it, where it fails
};

template <class Expectation, std::size_t N>
void check_cases(const Case<Expectation> (&cases)[N], const char* kind, const Story& story = delivery()) {
  for (const Case<Expectation>& c : cases) {
    CAPTURE(c.what);
    Story bent = story;
    bent.scenario.open = true;
    Expectation expect;
    c.bend(expect);
    bent.expect(expect, 42);
    const Judgement judgement = bent.judged();
    CHECK(judgement.ok() == c.holds);
    CHECK(judgement.passed == (c.holds ? 1 : 0));
    if (c.holds || judgement.failures.empty()) continue;
    CHECK(judgement.failures[0].line == 42);
    CHECK(judgement.failures[0].expectation == std::string("expect ") + kind);
    CAPTURE(judgement.failures[0].nearest);
    CHECK(judgement.failures[0].nearest.find(c.nearest) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("reply") {
  const Case<ExpectReply> cases[] = {
      {"the dot", [](ExpectReply& e) { e.verb = "dot", e.code = "250"; }, true},
      {"its text", [](ExpectReply& e) { e.verb = "dot", e.text = "2.0.0 queued*"; }, true},
      {"another code", [](ExpectReply& e) { e.verb = "dot", e.code = "4*"; }, false, "250 2.0.0 queued"},
      {"the greeting", [](ExpectReply& e) { e.verb = "connect", e.code = "220"; }, true},
      {"one of several lines", [](ExpectReply& e) { e.verb = "EHLO", e.text = "SIZE*"; }, true},
      {"an argument", [](ExpectReply& e) { e.verb = "RCPT", e.match = "bob@*", e.code = "250"; }, true},
      {"nothing like it", [](ExpectReply& e) { e.verb = "RCPT", e.match = "eve@*", e.code = "250"; }, false, "nothing like it was asked"},
      {"all of them", [](ExpectReply& e) { e.code = "250"; }, false, "220 mx ESMTP"},
      {"so many", [](ExpectReply& e) { e.code = "250", e.count = 4; }, true},
      {"not so many", [](ExpectReply& e) { e.code = "250", e.count = 3; }, false, "4 replies like it"},
      {"the nth", [](ExpectReply& e) { e.nth = 1, e.code = "220"; }, true},
      {"no nth", [](ExpectReply& e) { e.verb = "DATA", e.nth = 2, e.code = "354"; }, false, "nothing like it"},
      {"to a client", [](ExpectReply& e) { e.client = "client", e.mta = "sut", e.verb = "QUIT", e.code = "221"; }, true},
      {"an answer that never came", [](ExpectReply& e) { e.verb = "DATA", e.code = "none"; }, false, "354 go"},
      {"at its time", [](ExpectReply& e) { e.verb = "DATA", e.code = "354", e.when = {{15min, 1s}}; }, true},
      {"at another", [](ExpectReply& e) { e.verb = "DATA", e.code = "354", e.when = {{16min, 1s}}; }, false, "15m00."},
  };
  check_cases(cases, "reply");
}

TEST_CASE("reply: one that never came") {
  Story story;
  story.accepted("0001000000000001", "alice@src.example");
  Transfer t;
  t.dot_reply = "";
  t.taken = false;
  story.hand_over(t);
  story.end();
  const Case<ExpectReply> cases[] = {
      {"none", [](ExpectReply& e) { e.verb = "EHLO", e.code = "none"; }, false, "250-mx"},
  };
  check_cases(cases, "reply", story);
}

TEST_CASE("wire") {
  const auto line = [](const char* text) { return ExpectWire::Line{text[0] == '>', text + 2}; };
  static const auto made = line;
  const Case<ExpectWire> cases[] = {
      {"in a row", [](ExpectWire& e) { e.from = "sut", e.to = "mx", e.lines = {made("< 220 *"), made("> EHLO *"), made("< 250-mx")}; }, true},
      {"not in a row", [](ExpectWire& e) { e.lines = {made("> EHLO *"), made("> MAIL *")}; }, false, "1 of 2 lines, then not \"> MAIL *\""},
      {"with others between", [](ExpectWire& e) { e.skip = true, e.lines = {made("> EHLO *"), made("> MAIL *"), made("< 221*")}; }, true},
      {"out of order", [](ExpectWire& e) { e.skip = true, e.lines = {made("> QUIT"), made("> EHLO *")}; }, false, "1 of 2 lines"},
      {"the wrong way", [](ExpectWire& e) { e.skip = true, e.lines = {made("< EHLO *")}; }, false, "0 of 1 lines"},
      {"content", [](ExpectWire& e) { e.from = "sut", e.lines = {made("> Subject: hi"), made("> "), made("> body"), made("> .")}; }, true},
      {"no such connection", [](ExpectWire& e) { e.to = "home", e.lines = {made("> EHLO *")}; }, false, "0 such connections"},
      {"the second", [](ExpectWire& e) { e.nth = 2, e.lines = {made("> EHLO *")}; }, true},
      {"the third", [](ExpectWire& e) { e.nth = 3, e.lines = {made("> EHLO *")}; }, false, "2 such connections"},
      {"forbidden and absent", [](ExpectWire& e) { e.forbid = {made("> HELO *")}; }, true},
      {"forbidden and there", [](ExpectWire& e) { e.forbid = {made("> HELO *"), made("> ehlo *")}; }, false, "EHLO sut.example"},
      {"forbidden where nobody dials", [](ExpectWire& e) { e.to = "home", e.forbid = {made("> EHLO *")}; }, false, "0 such connections"},
  };
  check_cases(cases, "wire");
}

TEST_CASE("header") {
  const Case<ExpectHeader> cases[] = {
      {"a field", [](ExpectHeader& e) { e.name = "subject", e.value = "hi"; }, true},
      {"another value", [](ExpectHeader& e) { e.name = "Subject", e.value = "ho*"; }, false, "Subject: \"hi\""},
      {"no field", [](ExpectHeader& e) { e.name = "X-No"; }, false, "no field X-No"},
      {"none", [](ExpectHeader& e) { e.name = "X-No", e.count = 0; }, true},
      {"two", [](ExpectHeader& e) { e.name = "Subject", e.count = 2; }, false, "1 such field"},
      {"hops", [](ExpectHeader& e) { e.hops = 1; }, true},
      {"no hops", [](ExpectHeader& e) { e.hops = 0; }, false, "1 Received field"},
      {"any value of a clause that is missing", [](ExpectHeader& e) { e.received = {{"", "", "", "", "*"}}; }, false, "for (none)"},
      {"other hops", [](ExpectHeader& e) { e.hops = 2; }, false, "1 Received field"},
      {"clauses", [](ExpectHeader& e) { e.received = {{"client", "sut.example", "ESMTP", "1", ""}}; }, true},
      {"any clauses", [](ExpectHeader& e) { e.received = {{}}; }, true},
      {"another clause", [](ExpectHeader& e) { e.received = {{"client", "mx.example", "", "", ""}}; }, false, "Received number 1 has by \"sut.example\""},
      {"a clause that is missing", [](ExpectHeader& e) { e.received = {{"", "", "", "", "bob@*"}}; }, false, "for (none)"},
      {"more than there are", [](ExpectHeader& e) { e.received = {{}, {}}; }, false, "1 Received field"},
      {"of the right message", [](ExpectHeader& e) { e.rcpt = "bob@*", e.at = "mx", e.hops = 1; }, true},
      {"of none", [](ExpectHeader& e) { e.at = "home", e.hops = 1; }, false, "nothing"},
  };
  check_cases(cases, "header");
}

TEST_CASE("clauses of trace fields") {
  const TraceField field = read_trace_field(
      "from pc.example (rdns.example [192.0.2.1] (may be forged)) by mx.example (Postproof) with ESMTPS (TLS1.3; by the book) id 1 "
      "for <bob@dest.example>; Thu, 1 Jan 2026 00:00:00 +0000 (from here)");
  CHECK(field.from == "pc.example (rdns.example [192.0.2.1] (may be forged))");
  CHECK(field.by == "mx.example (Postproof)");
  CHECK(field.with == "ESMTPS (TLS1.3; by the book)");
  CHECK(field.id == "1");
  CHECK(field.for_ == "<bob@dest.example>");
  CHECK(clause_matches("bob@*", field.for_));
  CHECK(clause_matches("*192.0.2.1*", field.from));
  CHECK(clause_matches("PC.example", field.from));
  CHECK_FALSE(clause_matches("pc.exampl", field.from));
  CHECK(read_trace_field("by a; x").by == "a");
  CHECK(read_trace_field("").by == "");
}

TEST_CASE("log") {
  const Case<ExpectLog> cases[] = {
      {"an event", [](ExpectLog& e) { e.event = "delivered"; }, true},
      {"its field", [](ExpectLog& e) { e.event = "delivered", e.fields = {{"recipient", "BOB@*"}, {"host", "mx*"}}; }, true},
      {"another field", [](ExpectLog& e) { e.event = "delivered", e.fields = {{"recipient", "eve@*"}}; }, false, "recipient=bob@dest.example"},
      {"a field that is missing", [](ExpectLog& e) { e.event = "delivered", e.fields = {{"reply", "*"}}; }, false, "has no reply"},
      {"a line", [](ExpectLog& e) { e.event = "delivered", e.match = "delivered *recipient=bob@*"; }, true},
      {"none", [](ExpectLog& e) { e.event = "deferred"; }, false, "nothing"},
      {"never", [](ExpectLog& e) { e.event = "deferred", e.count = 0; }, true},
      {"never, but", [](ExpectLog& e) { e.event = "delivered", e.count = 0; }, false, "1 event"},
      {"at its time", [](ExpectLog& e) { e.event = "attempt", e.when = {{15min, 1s}}; }, true},
      {"at another", [](ExpectLog& e) { e.event = "attempt", e.when = {{14min, 1s}}; }, false, "15m00."},
      {"of an MTA", [](ExpectLog& e) { e.event = "attempt", e.mta = "other"; }, false, "nothing"},
  };
  check_cases(cases, "log");
}

TEST_CASE("dns") {
  const Case<ExpectDns> cases[] = {
      {"a question", [](ExpectDns& e) { e.name = "dest.example", e.type = "MX"; }, true},
      {"an answer", [](ExpectDns& e) { e.answer = "*mx.example", e.by = "sut", e.count = 1; }, true},
      {"another name", [](ExpectDns& e) { e.name = "x.example"; }, false, "others, the last for mx.example A"},
      {"never", [](ExpectDns& e) { e.type = "TLSA", e.count = 0; }, true},
      {"never, but", [](ExpectDns& e) { e.type = "MX", e.count = 0; }, false, "1 question: 15m00.000s"},
      {"by another", [](ExpectDns& e) { e.by = "mx"; }, false, "nothing"},
      {"over TCP", [](ExpectDns& e) { e.transport = "tcp"; }, false, "nothing"},
      {"at its time", [](ExpectDns& e) { e.type = "A", e.when = {{15min, 1s}}; }, true},
      {"at another", [](ExpectDns& e) { e.type = "A", e.when = {{1min, 1s}}; }, false, "15m00.000s"},
      {"in order", [](ExpectDns& e) { e.order = {{"dest.example", "MX"}, {"mx.example", "A*"}}; }, true},
      {"out of order", [](ExpectDns& e) { e.order = {{"mx.example", "A"}, {"dest.example", "MX"}}; }, false, "1 of 2, then nobody asked for dest.example MX"},
  };
  check_cases(cases, "dns");
}

TEST_CASE("resource") {
  const Case<ExpectResource> cases[] = {
      {"connections at once", [](ExpectResource& e) { e.of = "connections", e.min = 1, e.max = 1; }, true},
      {"of a host", [](ExpectResource& e) { e.of = "connections", e.host = "home", e.min = 1; }, false, "0"},
      {"too many", [](ExpectResource& e) { e.of = "connections", e.max = 0; }, false, "1, the last at 15m00."},
      {"lanes", [](ExpectResource& e) { e.of = "lanes", e.host = "sut", e.to = {"mx", "home"}, e.min = 1, e.max = 1; }, true},
      {"lanes to another site", [](ExpectResource& e) { e.of = "lanes", e.to = {"home"}, e.max = 0; }, true},
      {"dials", [](ExpectResource& e) { e.of = "dials", e.min = 2, e.max = 2; }, true},
      {"dials of one", [](ExpectResource& e) { e.of = "dials", e.host = "sut", e.min = 2; }, false, "1, the last"},
      {"dials before", [](ExpectResource& e) { e.of = "dials", e.window.until = 1min, e.max = 0; }, true},
      {"datagrams", [](ExpectResource& e) { e.of = "datagrams", e.host = "sut", e.to = {"dns"}, e.min = 1, e.max = 1; }, true},
      {"octets", [](ExpectResource& e) { e.of = "octets", e.host = "mx", e.min = 100, e.max = 300; }, true},
      {"few octets", [](ExpectResource& e) { e.of = "octets", e.host = "mx", e.max = 10; }, false, ", the last at 15m00."},
      {"disk", [](ExpectResource& e) { e.of = "disk_operations", e.host = "sut", e.min = 2, e.max = 2; }, true},
      {"syncs", [](ExpectResource& e) { e.of = "syncs", e.min = 1, e.max = 1; }, true},
      {"no syncs", [](ExpectResource& e) { e.of = "syncs", e.max = 0; }, false, "1, the last"},
  };
  check_cases(cases, "resource");
}

TEST_CASE("resource: connections that overlap, and those that follow each other") {
  Story story;
  const ConnectionId one = story.dial("sut", "mx");
  const ConnectionId two = story.dial("sut", "mx");
  story.add(record::Fin{one, Side::opener});
  story.add(record::Fin{one, Side::acceptor});
  const ConnectionId three = story.dial("sut", "mx");
  story.pass(1min);
  story.add(record::Reset{two, Side::acceptor});
  story.add(record::Reset{three, Side::opener});
  story.end();
  const Case<ExpectResource> cases[] = {
      {"two at once", [](ExpectResource& e) { e.of = "lanes", e.min = 2, e.max = 2; }, true},
      {"not three", [](ExpectResource& e) { e.of = "lanes", e.min = 3; }, false, "2, the last"},
      {"what stood when the window began", [](ExpectResource& e) { e.of = "lanes", e.window.from = 30s, e.min = 2; }, true},
      {"nothing after", [](ExpectResource& e) { e.of = "lanes", e.window.from = 2min, e.max = 0; }, true},
  };
  check_cases(cases, "resource", story);
}

TEST_CASE("queue: the age of what waits") {
  Story story;
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  story.pass(2h);
  story.queued("bob@dest.example", 3h);
  story.end("limit", "MTA sut: 1 message in its queue");
  const Case<ExpectQueue> cases[] = {
      {"its age", [](ExpectQueue& e) { e.depth = 1, e.age = When{2h, 1s}; }, true},
      {"another", [](ExpectQueue& e) { e.depth = 1, e.age = When{1h, 1s}; }, false, "the oldest of age 2h00m00."},
      {"of another", [](ExpectQueue& e) { e.rcpt = "eve@*", e.depth = 0, e.age = When{2h, 1s}; }, false, "0 messages"},
  };
  for (const Case<ExpectQueue>& c : cases) {
    CAPTURE(c.what);
    Story bent = story;
    bent.scenario.open = true;
    ExpectQueue expect;
    c.bend(expect);
    ExpectEnd waits;
    waits.queue = 1;
    bent.expect(waits);
    bent.expect(expect, 42);
    const Judgement judgement = bent.judged();
    CHECK(judgement.ok() == c.holds);
    if (!c.holds && !judgement.failures.empty()) CHECK(judgement.failures[0].nearest.find(c.nearest) != std::string::npos);
  }
}

TEST_CASE("never: by whom, and when") {
  const Case<ExpectNever> cases[] = {
      {"by another", [](ExpectNever& e) { e.event = "command", e.by = "home"; }, true},
      {"by it", [](ExpectNever& e) { e.event = "command", e.by = "sut"; }, false, "EHLO sut.example"},
      {"before", [](ExpectNever& e) { e.event = "data", e.window.until = 15min; }, true},
      {"after", [](ExpectNever& e) { e.event = "connect", e.window.from = 16min; }, true},
      {"within", [](ExpectNever& e) { e.event = "delivered", e.window = {14min, 16min}; }, false, "recipient=bob@dest.example"},
      {"dns before", [](ExpectNever& e) { e.event = "dns-query", e.window.until = 15min; }, true},
  };
  check_cases(cases, "never");
}

}  // namespace postproof::sim::test
