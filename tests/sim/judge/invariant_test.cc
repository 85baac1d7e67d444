// Each invariant is seen holding, and seen failing on what was planted.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstring>
#include <string>

#include "mta/base/text.h"
#include "tests/sim/judge/story.h"

namespace postproof::sim::test {

namespace {

using namespace std::chrono_literals;

constexpr const char* kLost = "invariant: nothing acknowledged is lost\n";
constexpr const char* kOneEnd = "invariant: each recipient ends in one way\n";
constexpr const char* kStray = "invariant: nothing arrives that nobody has sent\n";
constexpr const char* kNull = "invariant: no bounce to or about the null sender\n";
constexpr const char* kNewline = "invariant: no bare CR or LF is sent\n";
constexpr const char* kExtension = "invariant: no extension is used that was not offered\n";
constexpr const char* kEvents = "invariant: events agree with the wire\n";
constexpr const char* kClosed = "invariant: closed world\n";
constexpr const char* kEnd = "invariant: the run comes to an end\n";
constexpr const char* kUp = "invariant: every part of the world comes up\n";

Story open_story() {
  Story story;
  story.scenario.open = true;
  return story;
}

std::string judged(Story& story, std::string reason = "done", std::string pending = "") {
  story.end(std::move(reason), std::move(pending));
  return failed(story.judged());
}

Transfer relay(Transfer t = {}) {
  t.content = Story::relayed(t.content);
  return t;
}

}  // namespace

TEST_CASE("what is right passes") {
  Story story = open_story();
  SUBCASE("delivered") { story.simple_delivery(); }
  SUBCASE("bounced") { story.simple_bounce(); }
  SUBCASE("both, with the same header") { story.simple_delivery(), story.simple_bounce(); }
  SUBCASE("the same message twice, delivered twice") { story.simple_delivery(), story.simple_delivery(); }
  CHECK(judged(story) == "");
}

TEST_CASE("a lost message") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  SUBCASE("has no end") { CHECK(judged(story) == kLost); }
  SUBCASE("unless it is queued") {
    story.pass(1h);
    story.queued("bob@dest.example", 2h);
    CHECK(judged(story) == "");
  }
  SUBCASE("on the disk of an MTA that is down too") {
    story.pass(1h);
    story.crash();
    CHECK(judged(story) == kLost);
    story.queued("bob@dest.example", 2h);
    CHECK(judged(story) == "");
  }
  SUBCASE("a disk that fails is no excuse") {
    story.add(record::Fault{"disk.eio", "sut write *", 3, "begins"});
    CHECK(judged(story) == kLost);
  }
  SUBCASE("another recipient in the queue is no excuse") {
    story.pass(1h);
    story.queued("carol@dest.example", 2h);
    CHECK(judged(story) == std::string(kLost) + kStray);
  }
}

TEST_CASE("one of two recipients lost") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  Transfer t;
  t.recipients = {"bob@dest.example", "carol@dest.example"};
  story.hand_over(t);
  story.transfer(relay());
  story.delivered("bob@dest.example");
  CHECK(judged(story) == kLost);
}

TEST_CASE("what a disk has lost that it had said to be durable") {
  const auto trouble = [](Story& story, std::string state) {
    story.add(record::MtaEvent{"sut", "service", {{"state", std::move(state)}, {"detail", "damaged"}}});
  };
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  SUBCASE("rotten, and told of") {
    story.add(record::Fault{"disk.bit-rot", "sut *", 7, "strikes /spool/journal/1, octet 3"});
    trouble(story, "trouble");
    CHECK(judged(story) == "");
  }
  SUBCASE("rotten, and without a word") {
    trouble(story, "trouble");
    story.add(record::Fault{"disk.bit-rot", "sut *", 7, "strikes /spool/journal/1, octet 3"});
    trouble(story, "recovered");
    CHECK(judged(story) == kLost);
  }
  SUBCASE("told of, and nothing was struck") {
    story.add(record::Fault{"disk.bit-rot", "sut *", 7, "finds nothing"});
    trouble(story, "trouble");
    CHECK(judged(story) == kLost);
  }
  SUBCASE("names that were not durable, shown by a crash") {
    story.add(record::Fault{"disk.rename-not-durable", "sut *", 7, "strikes sync_dir /spool/bodies"});
    story.crash();
    story.start();
    story.pass(1h);
    CHECK(judged(story) == "");
  }
  SUBCASE("names that were not durable, and no crash") {
    story.add(record::Fault{"disk.rename-not-durable", "sut *", 7, "strikes sync_dir /spool/bodies"});
    CHECK(judged(story) == kLost);
  }
}

TEST_CASE("a doubled message") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  Transfer first = relay();
  SUBCASE("without a reason") {
    story.transfer(first);
    story.delivered("bob@dest.example");
    story.transfer(relay());
    story.delivered("bob@dest.example");
    CHECK(judged(story) == kOneEnd);
  }
  SUBCASE("after a lost reply") {
    first.dot_reply_lost = true;
    story.transfer(first);
    story.transfer(relay());
    story.delivered("bob@dest.example");
    CHECK(judged(story) == "");
  }
  SUBCASE("after no reply") {
    first.dot_reply = "";
    story.transfer(first);
    story.transfer(relay());
    story.delivered("bob@dest.example");
    CHECK(judged(story) == "");
  }
  SUBCASE("tripled after one lost reply") {
    first.dot_reply_lost = true;
    story.transfer(first);
    story.transfer(relay());
    story.delivered("bob@dest.example");
    story.transfer(relay());
    story.delivered("bob@dest.example");
    CHECK(judged(story) == kOneEnd);
  }
  SUBCASE("after a crash that came close") {
    story.transfer(first);
    story.delivered("bob@dest.example");
    story.crash();
    story.pass(1s);
    story.start();
    story.transfer(relay());
    story.delivered("bob@dest.example");
    CHECK(judged(story) == "");
  }
  SUBCASE("after a crash that came late") {
    story.transfer(first);
    story.delivered("bob@dest.example");
    story.pass(1s);
    story.crash();
    story.pass(1s);
    story.start();
    story.transfer(relay());
    story.delivered("bob@dest.example");
    CHECK(judged(story) == kOneEnd);
  }
  SUBCASE("after the disk had failed") {
    story.add(record::DiskOperation{"sut", 7, "sync", "/spool/journal", 0, 0, "io"});
    story.transfer(first);
    story.delivered("bob@dest.example");
    story.pass(1s);
    story.crash();
    story.start();
    story.transfer(relay());
    story.delivered("bob@dest.example");
    CHECK(judged(story) == "");
  }
}

// A report goes out once it is durable that it was written: a crash is no excuse for another.
TEST_CASE("a second report after a crash") {
  Story story = open_story();
  story.simple_bounce();
  story.crash();
  story.start();
  SUBCASE("is none") { CHECK(judged(story) == ""); }
  SUBCASE("is one too many") {
    story.bounced("0001000000000001", "gone@dest.example");
    story.accepted("0001000000000003", "", "0", "0001000000000001");
    Transfer again;
    again.to_node = "home", again.sender = "", again.recipients = {"alice@src.example"};
    again.content = Story::report("alice@src.example", "gone@dest.example", "Subject: hi\r\n") + "another\r\n";
    story.transfer(again);
    story.delivered("alice@src.example");
    CHECK(judged(story) == kOneEnd);
  }
}

// What is not durable yet stays so for as long as the program does not run.
TEST_CASE("a crash a while after a delivery") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  story.transfer(relay());
  story.delivered("bob@dest.example");
  const auto pause = [&](const char* where, std::string detail) {
    story.add(record::Fault{"process.pause", where, 2, std::move(detail)});
  };
  bool excused = false;
  SUBCASE("") { story.pass(150ms); }
  SUBCASE("that it was paused in") {
    pause("sut", "begins");
    story.pass(150ms);
    excused = true;
  }
  SUBCASE("that another was paused in") {
    pause("other", "begins");
    story.pass(150ms);
  }
  SUBCASE("that it was paused in for a part, twice at once") {
    pause("sut", "begins");
    pause("sut", "begins");
    story.pass(50ms);
    pause("sut", "ends");
    story.pass(50ms);
    pause("sut", "ends");
    story.pass(50ms);
    excused = true;
  }
  SUBCASE("with a pause that was over before") {
    story.pass(110ms);
    pause("sut", "begins");
    story.pass(50ms);
    pause("sut", "ends");
  }
  story.crash();
  story.start();
  story.transfer(relay());
  story.delivered("bob@dest.example");
  CHECK(judged(story) == (excused ? "" : kOneEnd));
}

TEST_CASE("content that an MTA no longer has") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  const auto give_up = [&](std::string stage) {
    story.event("bounced", {{"message", "0001000000000001"}, {"recipient", "bob@dest.example"}, {"stage", std::move(stage)}, {"reason", "damaged"}});
  };
  Transfer dsn;
  dsn.to_node = "home", dsn.sender = "", dsn.recipients = {"alice@src.example"};
  dsn.content = Story::report("alice@src.example", "bob@dest.example", "Subject: hi\r\n");
  SUBCASE("that it should have") {
    give_up("storage");
    story.transfer(dsn);
    story.delivered("alice@src.example");
    CHECK(judged(story) == "invariant: what is stored can be read again\n");
  }
  SUBCASE("for its disk has let it rot") {
    story.add(record::Fault{"disk.bit-rot", "sut /spool/bodies/1", 2, "strikes"});
    give_up("storage");
    story.transfer(dsn);
    story.delivered("alice@src.example");
    CHECK(judged(story) == "");
  }
  SUBCASE("is no matter where a peer has refused it") {
    give_up("dot");
    story.transfer(dsn);
    story.delivered("alice@src.example");
    CHECK(judged(story) == "");
  }
}

TEST_CASE("a handover that the client has not seen acknowledged") {
  Story story = open_story();
  Transfer t;
  t.from_node = "client", t.to_node = "sut", t.dot_reply_lost = true;
  story.accepted("0001000000000001", "alice@src.example");
  story.transfer(t);
  SUBCASE("may vanish") { CHECK(judged(story) == ""); }
  SUBCASE("or arrive") {
    story.transfer(relay());
    story.delivered("bob@dest.example");
    CHECK(judged(story) == "");
  }
  SUBCASE("but not twice") {
    story.transfer(relay());
    story.delivered("bob@dest.example");
    story.transfer(relay());
    story.delivered("bob@dest.example");
    CHECK(judged(story) == kOneEnd);
  }
}

TEST_CASE("a refused message must not arrive") {
  Story story = open_story();
  Transfer t;
  t.dot_reply = "554 5.6.0 no\r\n";
  story.hand_over(t);
  story.transfer(relay());
  story.delivered("bob@dest.example");
  CHECK(judged(story) == kOneEnd);
}

TEST_CASE("delivered and reported") {
  Story story = open_story();
  story.simple_bounce();
  Transfer t;
  t.recipients = {"gone@dest.example"};
  story.transfer(relay(t));
  story.delivered("gone@dest.example");
  CHECK(judged(story) == kOneEnd);
}

TEST_CASE("a refusal is final") {
  Story story = open_story();
  const auto refuse = [&](std::string_view reply, std::string_view verb = "RCPT") {
    const ConnectionId id = story.dial("sut", "mx");
    story.say(id, Side::acceptor, "220 mx\r\n");
    for (std::string command : {"EHLO sut.example", "MAIL FROM:<alice@src.example>", "RCPT TO:<gone@dest.example>", "DATA"}) {
      story.say(id, Side::opener, command + "\r\n");
      const bool here = command.starts_with(verb);
      story.say(id, Side::acceptor, here ? std::string(reply) + "\r\n" : "250 ok\r\n");
      if (here) break;
    }
    story.hang_up(id);
    story.pass(1min);
  };
  const auto hand_over = [&] {
    Transfer t;
    t.recipients = {"gone@dest.example"};
    story.accepted("0001000000000001", "alice@src.example");
    story.hand_over(t);
    story.queued("gone@dest.example", {});
    return 0;
  };
  hand_over();
  refuse("550 5.1.1 no");
  SUBCASE("once a message") {
    hand_over();
    refuse("550 5.1.1 no");
    CHECK(judged(story).find("refused for good") == std::string::npos);
  }
  SUBCASE("and no oftener") {
    refuse("550 5.1.1 no");
    CHECK(judged(story).find("refused for good") != std::string::npos);
  }
  SUBCASE("at DATA as well") {
    refuse("554 5.7.1 no", "DATA");
    CHECK(judged(story).find("refused for good") != std::string::npos);
  }
  SUBCASE("a deferral is none, and no more are too many recipients") {
    refuse("450 4.2.0 later");
    refuse("552 5.5.3 too many");
    refuse("552 too many");
    CHECK(judged(story).find("refused for good") == std::string::npos);
  }
  SUBCASE("but a crash may make it forgotten") {
    hand_over();
    refuse("550 5.1.1 no");
    story.now -= 1min;
    story.crash();
    story.start();
    refuse("550 5.1.1 no");
    CHECK(judged(story).find("refused for good") == std::string::npos);
  }
}

TEST_CASE("what may pass is not given up before mail has come to its age") {
  Story story = open_story();
  story.scenario.mtas[0].config.scheduler.retry.lifetime = 1h;
  Transfer t;
  t.recipients = {"gone@dest.example"};
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over(t);
  const auto report = [&](const std::string& status) {
    Transfer dsn;
    dsn.to_node = "home", dsn.sender = "", dsn.recipients = {"alice@src.example"};
    dsn.content = Story::report("alice@src.example", "gone@dest.example", "Subject: hi\r\n", status);
    story.transfer(dsn);
  };
  SUBCASE("it is") {
    story.pass(59min);
    report("4.4.7");
    CHECK(judged(story).find("given up early") != std::string::npos);
  }
  SUBCASE("its age has come") {
    story.pass(1h);
    report("4.4.7");
    CHECK(judged(story).find("given up early") == std::string::npos);
  }
  SUBCASE("what may not pass needs no age") {
    report("5.1.1");
    CHECK(judged(story).find("given up early") == std::string::npos);
  }
  SUBCASE("whose clock was set nobody knows its age") {
    story.add(record::Fault{"clock.step", "sut", 3, "strikes"});
    report("4.4.7");
    CHECK(judged(story).find("given up early") == std::string::npos);
  }
}

TEST_CASE("a report under way stands for its recipient") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  story.bounced("0001000000000001", "bob@dest.example");
  SUBCASE("in the queue") {
    story.accepted("0001000000000002", "", "0", "0001000000000001");
    story.pass(1s);
    story.add(record::QueueState{"sut", "0001000000000002", "", "alice@src.example", "pending", 0, {}});
    CHECK(judged(story) == "");
  }
  SUBCASE("failed itself") {
    story.accepted("0001000000000002", "", "0", "0001000000000001");
    story.bounced("0001000000000002", "alice@src.example");
    CHECK(judged(story) == "");
  }
  SUBCASE("or nothing does") { CHECK(judged(story) == kLost); }
  SUBCASE("but not for another recipient of the same sender") {
    Transfer t;
    t.recipients = {"carol@dest.example"};
    story.accepted("0001000000000003", "alice@src.example");
    story.hand_over(t);
    story.accepted("0001000000000002", "", "0", "0001000000000001");
    story.pass(1s);
    story.add(record::QueueState{"sut", "0001000000000002", "", "alice@src.example", "pending", 0, {}});
    CHECK(judged(story) == kLost);
  }
}

namespace {

// Up to the final dot, and its reply as `answer` gives it.
ConnectionId until_dot(Story& story, const std::string& from, const std::string& to, const std::string& content) {
  const ConnectionId id = story.dial(from, to);
  story.say(id, Side::acceptor, "220 hello\r\n");
  story.say(id, Side::opener, "HELO a\r\n");
  story.say(id, Side::acceptor, "250 b\r\n");
  story.say(id, Side::opener, "MAIL FROM:<alice@src.example>\r\n");
  story.say(id, Side::acceptor, "250 ok\r\n");
  story.say(id, Side::opener, "RCPT TO:<bob@dest.example>\r\n");
  story.say(id, Side::acceptor, "250 ok\r\n");
  story.say(id, Side::opener, "DATA\r\n");
  story.say(id, Side::acceptor, "354 go\r\n");
  story.say(id, Side::opener, content + ".\r\n");
  return id;
}

void peer_takes(Story& story, ConnectionId id, const std::string& content, const std::string& reply) {
  story.add(record::PeerMessage{"mx", id, "a", "", "alice@src.example", {"bob@dest.example"}, content, reply, true});
}

}  // namespace

TEST_CASE("a reply that something has overtaken allows a second copy, and does not demand an event") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  const Transfer second = relay();
  const ConnectionId id = until_dot(story, "sut", "mx", second.content);
  peer_takes(story, id, second.content, "250 ok");
  SUBCASE("a reset of the peer") {
    story.add(record::Octets{id, Side::acceptor, "250 ok\r\n", story.now + kLatency});
    story.add(record::Reset{id, Side::acceptor});
    story.pass(kLatency);
  }
  SUBCASE("a crash before it came") {
    story.add(record::Octets{id, Side::acceptor, "250 ok\r\n", story.now + 1s});
    story.pass(500ms);
    story.crash();
    story.pass(10s);
    story.start();
  }
  SUBCASE("our own end of the connection") {
    story.add(record::Octets{id, Side::acceptor, "250 ok\r\n", story.now + 1s});
    story.add(record::Fin{id, Side::opener});
    story.pass(2s);
  }
  story.transfer(second);
  story.delivered("bob@dest.example");
  CHECK(judged(story) == "");
}

TEST_CASE("accepted, and cut off before the 250 went out") {
  Story story = open_story();
  const Transfer t;
  until_dot(story, "client", "sut", t.content);
  story.accepted("0001000000000001", "alice@src.example");
  story.crash();
  story.pass(1s);
  story.start();
  story.add(record::ClientMessage{"client", "sut", 1, "alice@src.example", {"bob@dest.example"}, t.content, "", false});
  story.transfer(relay());
  story.delivered("bob@dest.example");
  CHECK(judged(story) == "");
}

TEST_CASE("the null sender") {
  Story story = open_story();
  story.accepted("0001000000000001", "");
  Transfer t;
  t.sender = "";
  story.hand_over(t);
  story.bounced("0001000000000001", "bob@dest.example");
  SUBCASE("its failure is suppressed") { CHECK(judged(story) == ""); }
  SUBCASE("a bounce about it") {
    story.accepted("0001000000000002", "", "0", "0001000000000001");
    CHECK(judged(story) == kNull);
  }
  SUBCASE("a report to somebody about it") {
    Transfer dsn;
    dsn.to_node = "home", dsn.sender = "", dsn.recipients = {"postmaster@src.example"};
    dsn.content = Story::report("postmaster@src.example", "bob@dest.example", "Subject: hi\r\n");
    story.transfer(dsn);
    story.delivered("postmaster@src.example");
    CHECK(judged(story) == std::string(kStray) + kNull);
  }
  SUBCASE("a bounce to it") {
    const ConnectionId id = story.dial("sut", "mx");
    story.say(id, Side::acceptor, "220 mx\r\n");
    story.say(id, Side::opener, "HELO sut\r\n");
    story.say(id, Side::acceptor, "250 mx\r\n");
    story.say(id, Side::opener, "MAIL FROM:<>\r\n");
    story.say(id, Side::acceptor, "250 ok\r\n");
    story.say(id, Side::opener, "RCPT TO:<>\r\n");
    story.say(id, Side::acceptor, "550 no\r\n");
    story.hang_up(id);
    CHECK(judged(story) == kNull);
  }
}

TEST_CASE("a failure that nobody wants to be told of") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  Transfer t;
  SUBCASE("is suppressed") {
    t.rcpt_parameters = " NOTIFY=NEVER";
    story.hand_over(t);
    story.bounced("0001000000000001", "bob@dest.example");
    CHECK(judged(story) == "");
  }
  SUBCASE("success alone is wanted") {
    t.rcpt_parameters = " ORCPT=rfc822;b NOTIFY=success,delay";
    story.hand_over(t);
    story.bounced("0001000000000001", "bob@dest.example");
    CHECK(judged(story) == "");
  }
  SUBCASE("failures are wanted") {
    t.rcpt_parameters = " NOTIFY=SUCCESS,FAILURE";
    story.hand_over(t);
    story.bounced("0001000000000001", "bob@dest.example");
    CHECK(judged(story) == kLost);
  }
  SUBCASE("and it is told") {
    t.rcpt_parameters = " NOTIFY=NEVER";
    story.hand_over(t);
    story.bounced("0001000000000001", "bob@dest.example");
    Transfer dsn;
    dsn.to_node = "home", dsn.sender = "", dsn.recipients = {"alice@src.example"};
    dsn.content = Story::report("alice@src.example", "bob@dest.example", "Subject: hi\r\n");
    story.transfer(dsn);
    story.delivered("alice@src.example");
    CHECK(judged(story) == kOneEnd);
  }
  SUBCASE("it is lost") {
    t.rcpt_parameters = " NOTIFY=NEVER";
    story.hand_over(t);
    CHECK(judged(story) == kLost);
  }
}

TEST_CASE("a bounce that is not from the null sender") {
  Story story = open_story();
  Transfer dsn;
  dsn.to_node = "home", dsn.sender = "mailer-daemon@sut.example", dsn.recipients = {"alice@src.example"};
  dsn.content = Story::report("alice@src.example", "bob@dest.example", "Subject: hi\r\n");
  story.transfer(dsn);
  story.delivered("alice@src.example");
  CHECK(judged(story) == std::string(kStray) + kNull);
}

TEST_CASE("what nobody has sent") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  Transfer t = relay();
  SUBCASE("changed content") {
    t.content += "more\r\n";
    story.transfer(t);
    story.delivered("bob@dest.example");
    story.end();
    const Judgement judgement = story.judged();
    CHECK(failed(judgement) == std::string(kLost) + kStray);
    CHECK(judgement.failures[1].nearest.find("octet 21 of 21 differs") != std::string::npos);
  }
  SUBCASE("another recipient") {
    t.recipients = {"eve@dest.example"};
    story.transfer(t);
    story.delivered("eve@dest.example");
    CHECK(judged(story) == std::string(kLost) + kStray);
  }
  SUBCASE("a report about nothing") {
    Transfer dsn;
    dsn.to_node = "home", dsn.sender = "", dsn.recipients = {"alice@src.example"};
    dsn.content = Story::report("alice@src.example", "eve@dest.example", "Subject: hi\r\n");
    story.transfer(dsn);
    story.delivered("alice@src.example");
    CHECK(judged(story) == std::string(kLost) + kStray);
  }
  SUBCASE("a report with another message's header") {
    Transfer dsn;
    dsn.to_node = "home", dsn.sender = "", dsn.recipients = {"alice@src.example"};
    dsn.content = Story::report("alice@src.example", "bob@dest.example", "Subject: other\r\n");
    story.transfer(dsn);
    story.delivered("alice@src.example");
    CHECK(judged(story) == std::string(kLost) + kStray);
  }
}

TEST_CASE("a bare newline") {
  for (const char* planted : {"one\ntwo\r\n", "one\rtwo\r\n", "\none\r\n", "one\r\r\n"}) {
    CAPTURE(planted);
    Story story = open_story();
    story.accepted("0001000000000001", "alice@src.example");
    Transfer t;
    t.content = std::string("Subject: x\r\n\r\n") + planted;
    story.hand_over(t);
    story.transfer(relay(t));
    story.delivered("bob@dest.example");
    CHECK(judged(story) == kNewline);
  }
}

TEST_CASE("a CRLF cut in two is none") {
  Story story = open_story();
  const ConnectionId id = story.dial("sut", "mx");
  story.say(id, Side::acceptor, "220 mx\r\n");
  story.say(id, Side::opener, "HELO sut\r");
  story.say(id, Side::opener, "\n");
  story.say(id, Side::acceptor, "250 mx\r\n");
  story.hang_up(id);
  CHECK(judged(story) == "");
}

// RFC 3030 section 2: the message is what the chunks make together, wherever they are cut.
TEST_CASE("chunks") {
  struct Case {
    const char* first;
    const char* second;
    bool holds;
  };
  for (const Case& one : {Case{"a\r\n", "b\r\n", true}, Case{"a\r", "\nb\r\n", true}, Case{"a", "\nb\r\n", false},
                          Case{"a\r", "b\r\n", false}, Case{"a\r\n", "b\r", false}, Case{"a", "b", true},
                          Case{"a\r", "", false}}) {
    for (const auto& [one_piece, cut] : {std::pair{false, false}, std::pair{true, false}, std::pair{false, true}}) {
      CAPTURE(cut);
      CAPTURE(escape(one.first));
      CAPTURE(escape(one.second));
      Story story = open_story();
      const ConnectionId id = story.dial("sut", "mx");
      story.say(id, Side::acceptor, "220 mx\r\n");
      story.say(id, Side::opener, "EHLO sut\r\n");
      story.say(id, Side::acceptor, "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
      const std::string first = fmt::format("BDAT {}\r\n{}", std::strlen(one.first), one.first);
      // Cut: the connection ends within the chunk, and its last line is content too.
      const std::string second = fmt::format("BDAT {} LAST\r\n{}", std::strlen(one.second) + (cut ? 100 : 0), one.second);
      if (one_piece) {
        story.say(id, Side::opener, first + second + "QUIT\r\n");
      } else {
        for (const std::string& piece : {first, second}) story.say(id, Side::opener, piece);
        story.say(id, Side::opener, "QUIT\r\n");
      }
      story.hang_up(id);
      CHECK(judged(story) == (one.holds ? "" : kNewline));
    }
  }
}

TEST_CASE("an extension that was not offered") {
  struct Case {
    const char* what;
    void (*bend)(Transfer&);
    bool holds;
  };
  const Case cases[] = {
      {"all offered", [](Transfer& t) { t.mail_parameters = " SIZE=20 BODY=8BITMIME", t.pipelined = true; }, true},
      {"SIZE", [](Transfer& t) { t.ehlo_reply = "250 mx\r\n", t.mail_parameters = " SIZE=20"; }, false},
      {"BODY", [](Transfer& t) { t.ehlo_reply = "250-mx\r\n250 SIZE\r\n", t.mail_parameters = " BODY=8BITMIME"; },
       false},
      {"an unknown one", [](Transfer& t) { t.mail_parameters = " XFOO=1"; }, false},
      {"an unknown one, offered",
       [](Transfer& t) { t.ehlo_reply = "250-mx\r\n250 XFOO\r\n", t.mail_parameters = " XFOO=1"; }, true},
      {"DSN", [](Transfer& t) { t.rcpt_parameters = " NOTIFY=NEVER"; }, false},
      {"DSN, offered", [](Transfer& t) { t.ehlo_reply = "250-mx\r\n250 DSN\r\n", t.rcpt_parameters = " NOTIFY=NEVER"; }, true},
      {"DELIVERBY", [](Transfer& t) { t.mail_parameters = " BY=10;R"; }, false},
      {"8-bit octets", [](Transfer& t) { t.mail_parameters = " SIZE=\xc3\xa9"; }, false},
      {"8-bit octets with SMTPUTF8",
       [](Transfer& t) { t.ehlo_reply = "250-mx\r\n250 SMTPUTF8\r\n", t.mail_parameters = " SMTPUTF8=\xc3\xa9"; }, true},
      {"PIPELINING", [](Transfer& t) { t.ehlo_reply = "250-mx\r\n250 SIZE 10\r\n", t.pipelined = true; }, false},
      {"keywords without case", [](Transfer& t) { t.ehlo_reply = "250-mx\r\n250 pipelining\r\n", t.pipelined = true; },
       true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    Story story = open_story();
    story.accepted("0001000000000001", "alice@src.example");
    story.hand_over();
    Transfer t = relay();
    c.bend(t);
    story.transfer(t);
    story.delivered("bob@dest.example");
    const std::string found = judged(story);
    CHECK((found == "") == c.holds);
    if (!c.holds) CHECK(found.starts_with(kExtension));
  }
}

TEST_CASE("talking out of turn") {
  Story story = open_story();
  const ConnectionId id = story.dial("sut", "mx");
  SUBCASE("before the greeting") {
    story.say(id, Side::opener, "EHLO sut\r\n");
    story.say(id, Side::acceptor, "220 mx\r\n");
    story.say(id, Side::acceptor, "250 mx\r\n");
  }
  SUBCASE("behind EHLO") {
    story.say(id, Side::acceptor, "220 mx\r\n");
    story.say(id, Side::opener, "EHLO sut\r\n");
    story.say(id, Side::opener, "MAIL FROM:<a@b>\r\n");
    story.say(id, Side::acceptor, "250-mx\r\n250 PIPELINING\r\n");
    story.say(id, Side::acceptor, "250 ok\r\n");
  }
  SUBCASE("content before its 354") {
    story.say(id, Side::acceptor, "220 mx\r\n");
    story.say(id, Side::opener, "HELO sut\r\n");
    story.say(id, Side::acceptor, "250 mx\r\n");
    story.say(id, Side::opener, "DATA\r\nearly\r\n.\r\n");
    story.say(id, Side::acceptor, "354 go\r\n");
    story.say(id, Side::acceptor, "554 no\r\n");
  }
  story.hang_up(id);
  CHECK(judged(story) == kExtension);
}

TEST_CASE("leaving after a silence is no breach") {
  Story story = open_story();
  const ConnectionId id = story.dial("sut", "mx");
  story.say(id, Side::acceptor, "220 mx\r\n");
  story.say(id, Side::opener, "EHLO sut\r\n");
  story.pass(5min);
  story.hang_up(id);
  CHECK(judged(story) == "");
}

TEST_CASE("events and the wire") {
  Story story = open_story();
  SUBCASE("delivered that was not") {
    story.simple_delivery();
    story.delivered("bob@dest.example");
  }
  SUBCASE("delivered that is not told") {
    story.accepted("0001000000000001", "alice@src.example");
    story.hand_over();
    story.transfer(relay());
  }
  SUBCASE("accepted that is not told") {
    story.hand_over();
    story.transfer(relay());
    story.delivered("bob@dest.example");
  }
  SUBCASE("accepted and refused") {
    Transfer t;
    t.dot_reply = "451 4.3.0 no\r\n";
    story.accepted("0001000000000001", "alice@src.example");
    story.hand_over(t);
  }
  CHECK(judged(story) == kEvents);
}

TEST_CASE("a crash may swallow an event") {
  Story story = open_story();
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  story.transfer(relay());
  story.crash();
  story.start();
  CHECK(judged(story) == "");
}

TEST_CASE("the closed world") {
  Story story;
  SUBCASE("a message that nobody expects") {
    story.simple_delivery();
    CHECK(judged(story) == kClosed);
  }
  SUBCASE("named") {
    story.simple_delivery();
    story.expect(delivered_to("bob@dest.example"));
    CHECK(judged(story) == "");
  }
  SUBCASE("a report that nobody expects") {
    story.simple_bounce();
    story.expect(delivered_to("alice@src.example"));
    CHECK(judged(story) == std::string("expect delivered\n") + kClosed);
  }
  SUBCASE("a report about somebody else") {
    story.simple_bounce();
    ExpectDsn expect = dsn_to("alice@src.example");
    expect.final = "bob@dest.example";
    expect.count = 0;
    story.expect(expect);
    CHECK(judged(story) == kClosed);
  }
  SUBCASE("a report that is named") {
    story.simple_bounce();
    story.expect(dsn_to("alice@src.example"));
    CHECK(judged(story) == "");
  }
}

TEST_CASE("the run itself") {
  Story story = open_story();
  SUBCASE("breaks off") { CHECK(failed(story.judged()) == kEnd); }
  SUBCASE("runs in circles") { CHECK(judged(story, "events", "MTA sut: 1 message") == kEnd); }
  SUBCASE("is stuck") { CHECK(judged(story, "stuck", "client c: 1 under way") == kEnd); }
  SUBCASE("has work left") { CHECK(judged(story, "limit", "MTA sut: sessions or attempts under way") == kEnd); }
  SUBCASE("has a script left though queues may be full") {
    ExpectQueue expect;
    expect.depth = 1;
    story.expect(expect);
    CHECK(judged(story, "limit", "MTA sut: 1 message\nclient c: 1 under way") == std::string(kEnd) + "expect queue\n");
  }
  SUBCASE("a script fails") {
    story.add(record::ScriptFailure{"raw", 17, "250", "550 no"});
    story.end();
    const Judgement judgement = story.judged();
    REQUIRE(judgement.failures.size() == 1);
    CHECK(judgement.failures[0].line == 17);
    CHECK(judgement.failures[0].nearest == "550 no");
  }
  SUBCASE("a part does not come up") {
    story.add(record::Fault{std::string(kTrouble), "sut", 3, "listen: in use"});
    CHECK(judged(story) == kUp);
  }
  SUBCASE("a part does not come up, for its disk has failed") {
    story.add(record::DiskOperation{"sut", 1, "write", "/spool/a", 0, 10, "input/output error"});
    story.add(record::Fault{std::string(kTrouble), "sut", 3, "spool: input/output error"});
    CHECK(judged(story) == "");
  }
  SUBCASE("a part does not come up, for it may have no descriptors") {
    story.add(record::Fault{"process.descriptors", "sut", 2, "begins: 0 at the most"});
    SUBCASE("told before") { story.add(record::Fault{"process.descriptors", "sut", 2, "strikes: too many open files"}); }
    story.add(record::Fault{std::string(kTrouble), "sut", 3, "listen: too many open files"});
    CHECK(judged(story) == "");
  }
  SUBCASE("a limit of descriptors that has ended, or another's, is no excuse") {
    story.add(record::Fault{"process.descriptors", "sut", 2, "begins: 0 at the most"});
    story.add(record::Fault{"process.descriptors", "sut", 2, "ends"});
    story.add(record::Fault{"process.descriptors", "other", 2, "begins: 0 at the most"});
    story.add(record::Fault{std::string(kTrouble), "sut", 3, "listen: too many open files"});
    CHECK(judged(story) == kUp);
  }
  SUBCASE("an earlier failure of the disk, or another's, is no excuse") {
    story.add(record::DiskOperation{"sut", 1, "write", "/spool/a", 0, 10, "input/output error"});
    story.crash();
    story.start();
    story.add(record::DiskOperation{"other", 1, "write", "/spool/a", 0, 10, "input/output error"});
    story.add(record::Fault{std::string(kTrouble), "sut", 3, "spool: no"});
    CHECK(judged(story) == kUp);
  }
}

TEST_CASE("two MTAs in a row") {
  Story story = open_story();
  MtaPart hub;
  hub.name = "hub";
  hub.names = {"hub.example"};
  story.scenario.mtas.push_back(hub);
  story.accepted("0001000000000001", "alice@src.example");
  story.hand_over();
  Transfer t = relay();
  t.to_node = "hub", t.tell = false;
  const auto hub_accepts = [&] {
    story.add(record::MtaEvent{
        "hub", "accepted", {{"session", "1"}, {"message", "0001000000000009"}, {"sender", "alice@src.example"}}});
  };
  const auto hub_delivers = [&] {
    Transfer last = relay(relay());
    last.from_node = "hub";
    last.tell = true;
    story.transfer(last);
    std::erase_if(story.recording.records, [](const Record& record) {
      const auto* message = std::get_if<record::ClientMessage>(&record.what);
      return message != nullptr && message->client == "hub";
    });
    story.add(
        record::MtaEvent{"hub", "delivered", {{"message", "0001000000000009"}, {"recipient", "bob@dest.example"}}});
  };
  hub_accepts();
  SUBCASE("held by the second is followed through") {
    story.transfer(t);
    story.delivered("bob@dest.example");
    CHECK(judged(story) == kLost);
  }
  SUBCASE("delivered") {
    story.transfer(t);
    story.delivered("bob@dest.example");
    hub_delivers();
    CHECK(judged(story) == "");
  }
  SUBCASE("doubled between them") {
    t.dot_reply_lost = true;
    story.transfer(t);
    hub_delivers();
    hub_accepts();
    t.dot_reply_lost = false;
    story.transfer(t);
    story.delivered("bob@dest.example");
    hub_delivers();
    CHECK(judged(story) == "");
  }
}

// A session from sut to mx that says MAIL, in the clear or within TLS.
ConnectionId say_mail(Story& story, bool secured, const std::string& verified = "ok") {
  const ConnectionId id = story.dial("sut", "mx");
  story.say(id, Side::acceptor, "220 mx\r\n");
  story.say(id, Side::opener, "EHLO a\r\n");
  story.say(id, Side::acceptor, "250-mx\r\n250 STARTTLS\r\n");
  if (secured) {
    story.secure(id, "sut", "mx", verified);
    story.event("tls", {{"result", "ok"}, {"version", "TLSv1.3"}, {"cipher", "TLS_AES_256_GCM_SHA384"}});
    story.whisper(id, Side::opener, "MAIL FROM:<a@b>\r\n");
    story.whisper(id, Side::acceptor, "550 no\r\n");
  } else {
    story.say(id, Side::opener, "MAIL FROM:<a@b>\r\n");
    story.say(id, Side::acceptor, "550 no\r\n");
  }
  return id;
}

TEST_CASE("no clear text where policy forbids it") {
  using smtp::TlsLevel;
  constexpr std::string_view kClear = "invariant: no clear text where policy forbids it\n";
  struct Case {
    TlsLevel level;
    bool secured;
    std::string_view verified;
    bool fine;
  };
  for (const Case& c : {Case{TlsLevel::may, false, "", true}, Case{TlsLevel::require, false, "", false},
                        Case{TlsLevel::require, true, "expired", true}, Case{TlsLevel::verify, true, "expired", false},
                        Case{TlsLevel::verify, true, "ok", true}, Case{TlsLevel::verify, false, "", false}}) {
    CAPTURE(static_cast<int>(c.level));
    CAPTURE(c.secured);
    Story story;
    story.scenario.mtas[0].config.router.tls.level = c.level;
    say_mail(story, c.secured, std::string(c.verified));
    story.end();
    CHECK(failed(story.judged()) == (c.fine ? "" : kClear));
  }
}

TEST_CASE("no clear text where the policy of a recipient's domain forbids it") {
  constexpr std::string_view kClear = "invariant: no clear text where policy forbids it\n";
  Story story;
  tls::Policy& policy = story.scenario.mtas[0].config.router.tls;
  policy.level = tls::Level::require;
  policy.rules = {tls::Rule{{"old.example"}, tls::Level::none}};
  const ConnectionId id = say_mail(story, false);
  SUBCASE("none is asked for") {
    story.say(id, Side::opener, "RCPT TO:<b@Old.Example>\r\n");
    story.end();
    CHECK(failed(story.judged()) == "");
  }
  SUBCASE("it is") {
    story.say(id, Side::opener, "RCPT TO:<b@new.example>\r\n");
    story.end();
    CHECK(failed(story.judged()) == kClear);
  }
}

TEST_CASE("a server that demands TLS takes no mail in the clear") {
  Story story;
  story.scenario.mtas[0].config.server.tls = smtp::TlsLevel::require;
  const ConnectionId id = story.dial("client", "sut");
  story.say(id, Side::acceptor, "220 sut\r\n");
  story.say(id, Side::opener, "MAIL FROM:<a@b>\r\n");
  SUBCASE("refused") {
    story.say(id, Side::acceptor, "530 5.7.0 say STARTTLS\r\n");
    story.end();
    CHECK(failed(story.judged()) == "");
  }
  SUBCASE("taken") {
    story.say(id, Side::acceptor, "250 ok\r\n");
    story.end();
    CHECK(failed(story.judged()) == "invariant: no clear text where policy forbids it\n");
  }
}

TEST_CASE("what an MTA tells of TLS is what its connections had") {
  Story story;
  say_mail(story, true);
  SUBCASE("as it was") {
    story.end();
    CHECK(failed(story.judged()) == "");
  }
  SUBCASE("once too often") {
    story.event("tls", {{"result", "ok"}, {"version", "TLSv1.3"}, {"cipher", "TLS_AES_256_GCM_SHA384"}});
    story.end();
    CHECK(failed(story.judged()) == "invariant: events agree with the wire\n");
  }
  SUBCASE("failures are no claim") {
    story.event("tls", {{"result", "TLS handshake: no"}, {"version", ""}, {"cipher", ""}});
    story.end();
    CHECK(failed(story.judged()) == "");
  }
}

}  // namespace postproof::sim::test
