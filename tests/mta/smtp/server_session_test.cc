// The server's session: order, groups, content, limits, timeouts, ends.
#include "mta/smtp/server_session.h"

#include <doctest/doctest.h>

#include <vector>

#include "mta/base/limits.h"
#include "tests/mta/smtp/test_intake.h"
#include "tests/mta/smtp/test_world.h"

using namespace postproof;
using namespace postproof::smtp;

namespace {

struct Server {
  explicit Server(ServerSettings with = {}) : settings(std::move(with)), group(world.env().executor) {
    settings.hostname = "mx.example.org";
    auto [stream, end] = world.open();
    wire.emplace(end);
    session.emplace(world.env(), settings, std::move(stream), std::make_unique<test::TestIntake>(store), 7);
  }
  ~Server() {
    wire->fin();
    world.advance(10min);
    CHECK(group.size() == 0);
  }
  Server& start() {
    group.spawn(session->run());
    world.settle();
    return *this;
  }
  // Greeted, and past EHLO.
  Server& hello() {
    start();
    say("EHLO client.example\r\n");
    return *this;
  }
  std::string say(std::string_view octets) { return wire->say(octets); }
  // The codes of what is answered, one word a line; "-" behind a line that goes on.
  std::string codes(std::string_view octets) { return codes_of(say(octets)); }
  static std::string codes_of(std::string_view wire_text) {
    std::string codes;
    while (!wire_text.empty()) {
      const auto end = wire_text.find("\r\n");
      REQUIRE(end != std::string_view::npos);
      const bool more = wire_text.substr(3, 1) == "-";
      codes += (codes.empty() ? "" : " ") + std::string(wire_text.substr(0, 3)) + (more ? "-" : "");
      wire_text.remove_prefix(end + 2);
    }
    return codes;
  }
  bool over() const { return group.size() == 0; }
  bool said(std::string_view event) const {
    for (const std::string& e : world.events) {
      if (e.contains(event)) return true;
    }
    return false;
  }

  test::TestWorld world;
  ServerSettings settings;
  test::Store store;
  TaskGroup group;
  std::optional<test::TestWorld::Wire> wire;
  std::optional<ServerSession> session;
};

constexpr std::string_view kTransaction = "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@dest.example>\r\nDATA\r\n";

}  // namespace

TEST_CASE("one message, step by step") {
  Server server;
  server.start();
  CHECK(server.wire->received() == "220 mx.example.org ESMTP Postproof\r\n");
  CHECK(server.say("EHLO client.example\r\n") ==
        "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n");
  CHECK(server.say("MAIL FROM:<a@client.example> SIZE=20 BODY=8BITMIME\r\n") == "250 2.1.0 sender ok\r\n");
  CHECK(server.say("RCPT TO:<b@dest.example>\r\n") == "250 2.1.5 recipient ok\r\n");
  CHECK(server.say("DATA\r\n") == "354 end data with <CRLF>.<CRLF>\r\n");
  CHECK(server.say("Subject: x\r\n\r\n..\r\n\xff.\r\n.\r\n") == "250 2.0.0 queued\r\n");
  CHECK(server.say("QUIT\r\n") == "221 2.0.0 bye\r\n");
  CHECK(server.over());
  CHECK(server.wire->closed());

  REQUIRE(server.store.messages.size() == 1);
  const test::Taken& taken = server.store.messages[0];
  CHECK(taken.sender == "a@client.example");
  CHECK(taken.recipients == std::vector<std::string>{"b@dest.example"});
  CHECK(taken.content == "Subject: x\r\n\r\n.\r\n\xff.\r\n");
  CHECK(server.store.sessions[0].helo == "client.example");
  CHECK(server.store.sessions[0].esmtp);
  CHECK(server.store.sessions[0].session == 7);
  CHECK(server.store.mails[0].size == 20);
  CHECK(server.store.mails[0].body == BodyType::eight_bit);

  const std::vector<std::string> want = {
      "connect session=7 direction=in host=\"\" peer=192.0.2.1:40000 result=ok",
      "reply session=7 direction=in code=220 text=\"mx.example.org ESMTP Postproof\"",
      "command session=7 direction=in line=\"EHLO client.example\"",
  };
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(server.world.events[i] == want[i]);
  CHECK(server.world.events.back() == "close session=7 direction=in reason=quit");
  CHECK(server.said("data session=7 direction=in"));
}

TEST_CASE("every line of two, four and five has its enhanced code, but greeting and EHLO: J01") {
  Server server;
  server.start();
  server.wire->received();
  server.say("HELO x\r\n");
  for (const char* line :
       {"NOOP", "RSET", "HELP", "VRFY x", "EXPN x", "FOO", "MAIL", "MAIL FROM:<a@b> X=1", "RCPT TO:<x@y>", "DATA",
        "MAIL FROM:<a@b>", "MAIL FROM:<a@b>", "RCPT TO:<x@y>", "RCPT TO:<>", "STARTTLS", "QUIT"}) {
    const std::string reply = server.say(std::string(line) + "\r\n");
    CAPTURE(line);
    CAPTURE(reply);
    REQUIRE(reply.size() > 10);
    CHECK(EnhancedStatus::parse(std::string_view(reply).substr(4, 5)));
    CHECK(reply[4] == reply[0]);
  }
}

TEST_CASE("order of commands: A05, A06, A09 to A16") {
  struct Step {
    const char *line, *codes;
  };
  const std::vector<std::vector<Step>> dialogues = {
      {{"MAIL FROM:<a@b>", "503"}, {"MAIL FROM:<a@b> SIZE=1", "503"}, {"RCPT TO:<a@b>", "503"}, {"DATA", "503"}},
      {{"NOOP", "250"}, {"RSET", "250"}, {"RSET", "250"}, {"HELP", "214- 214"}, {"VRFY a", "252"}, {"QUIT", "221"}},
      {{"HELO x", "250"}, {"MAIL FROM:<a@b> SIZE=1", "555"}, {"MAIL FROM:<a@b>", "250"}},
      {{"EHLO x", "250- 250- 250- 250- 250"}, {"HELO x", "250"}, {"MAIL FROM:<a@b> SIZE=1", "555"}},
      {{"HELO x", "250"},
       {"MAIL FROM:<a@b>", "250"},
       {"MAIL FROM:<c@d>", "503"},
       {"DATA", "503"},
       {"RCPT TO:<bad", "501"},
       {"RCPT TO:<e@f>", "250"},
       {"NOOP", "250"},
       {"FOO", "500"},
       {"DATA", "354"},
       {".", "250"},
       {"DATA", "503"},
       {"RCPT TO:<e@f>", "503"},
       {"MAIL FROM:<a@b>", "250"}},
      {{"HELO x", "250"}, {"MAIL FROM:<a@b>", "250"}, {"RCPT TO:<e@f>", "250"}, {"RSET", "250"}, {"DATA", "503"}},
      {{"HELO x", "250"}, {"MAIL FROM:<a@b>", "250"}, {"HELO y", "250"}, {"RCPT TO:<e@f>", "503"}},
      {{"HELO x", "250"}, {"MAIL FROM:<a@b>", "250"}, {"RCPT TO:<no@f>", "550"}, {"DATA", "554"}, {"RSET", "250"}},
  };
  for (const auto& dialogue : dialogues) {
    Server server;
    server.store.refused.emplace("no@f", Reply::of(550, "5.1.1", "no such user"));
    server.start();
    server.wire->received();
    for (const Step& step : dialogue) {
      CAPTURE(step.line);
      CHECK(server.codes(std::string(step.line) + "\r\n") == step.codes);
    }
  }
}

TEST_CASE("the first transaction survives a second MAIL") {
  Server server;
  server.hello().codes("MAIL FROM:<a@b>\r\nMAIL FROM:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n");
  server.say(".\r\n");
  REQUIRE(server.store.messages.size() == 1);
  CHECK(server.store.messages[0].sender == "a@b");
  CHECK(server.store.messages[0].content.empty());
}

TEST_CASE("groups: replies in order, whatever the segments: L10, L14") {
  const std::string all =
      "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<no@f>\r\nRCPT TO:<e@f>\r\nNOOP\r\nDATA\r\none\r\n.\r\n"
      "MAIL FROM:<>\r\nRCPT TO:<g@f>\r\nDATA\r\ntwo\r\n.\r\nQUIT\r\n";
  const std::string want = "220 250- 250- 250- 250- 250 250 550 250 250 354 250 250 250 354 250 221";
  for (std::size_t split = 0; split <= all.size(); ++split) {
    Server server;
    server.store.refused.emplace("no@f", Reply::of(550, "5.1.1", "no such user"));
    server.start();
    server.wire->send(std::string_view(all).substr(0, split));
    server.wire->send(std::string_view(all).substr(split));
    CHECK(Server::codes_of(server.wire->received()) == want);
    REQUIRE(server.store.messages.size() == 2);
    CHECK(server.store.messages[0].content == "one\r\n");
    CHECK(server.store.messages[1].content == "two\r\n");
  }
  Server server;
  server.store.refused.emplace("no@f", Reply::of(550, "5.1.1", "no such user"));
  server.start();
  server.wire->send_by_octet(all);
  CHECK(Server::codes_of(server.wire->received()) == want);
}

TEST_CASE("a group is answered in one write") {
  Server server;
  server.hello();
  server.wire->received();
  server.wire->set_window(1);  // each write shows at most its first octet until it is taken
  server.wire->send("NOOP\r\nNOOP\r\nNOOP\r\n");
  server.wire->set_window(SIZE_MAX);
  CHECK(server.wire->received() == "2");
  CHECK(server.wire->received() == "50 2.0.0 ok\r\n250 2.0.0 ok\r\n250 2.0.0 ok\r\n");
}

TEST_CASE("content behind a DATA that is refused is not read as commands") {
  const std::string content = "Subject: x\r\n\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<b@d>\r\nDATA\r\nx\r\n.\r\n";
  Server server;
  server.store.refused.emplace("no@f", Reply::of(550, "5.1.1", "no such user"));
  server.hello();
  server.wire->received();
  CHECK(server.codes("MAIL FROM:<a@b>\r\nRCPT TO:<no@f>\r\nDATA\r\n" + content) == "250 550 554 421");
  CHECK(server.over());
  CHECK(server.store.mails.size() == 1);

  Server full;
  full.store.begin_refusal = Reply::of(452, "4.3.1", "disk full");
  full.hello();
  full.wire->received();
  CHECK(full.codes(std::string(kTransaction) + content) == "250 250 452 421");
  CHECK(full.store.mails.size() == 1);
}

TEST_CASE("a DATA that the intake refuses ends the transaction, not the session") {
  Server server;
  server.store.begin_refusal = Reply::of(452, "4.3.1", "disk full");
  server.hello();
  server.wire->received();
  CHECK(server.codes(kTransaction) == "250 250 452");
  server.store.begin_refusal.reset();
  CHECK(server.codes(kTransaction) == "250 250 354");
  CHECK(server.codes(".\r\n") == "250");
}

TEST_CASE("the reply to the final dot is the intake's: B10") {
  for (const Reply& refusal :
       {Reply::of(451, "4.3.0", "x"), Reply::of(452, "4.3.1", "x"), Reply::of(554, "5.4.6", "x")}) {
    Server server;
    server.store.commit_refusal = refusal;
    server.hello();
    server.wire->received();
    server.say(kTransaction);
    CHECK(server.say("x\r\n.\r\n") == refusal.to_wire());
    CHECK(server.store.messages.empty());
    server.store.commit_refusal.reset();
    CHECK(server.codes(kTransaction) == "250 250 354");
    CHECK(server.codes("x\r\n.\r\n") == "250");
  }
}

TEST_CASE("an intake that shuts down ends the session: 421") {
  Server server;
  server.store.commit_refusal = Reply::of(421, "4.3.2", "going down");
  server.hello();
  server.wire->received();
  server.say(kTransaction);
  CHECK(server.say("x\r\n.\r\nNOOP\r\n") == "421 4.3.2 going down\r\n");
  CHECK(server.over());
}

TEST_CASE("size: K01, K03, K05") {
  ServerSettings settings;
  settings.message_size_max = 100;
  Server server(settings);
  server.start();
  CHECK(server.say("EHLO x\r\n").contains("250-SIZE 100\r\n"));
  CHECK(server.say("MAIL FROM:<a@b> SIZE=101\r\n").starts_with("552 5.3.4 "));
  CHECK(server.say("MAIL FROM:<a@b> SIZE=99999999999999999999\r\n").starts_with("552 5.3.4 "));
  CHECK(server.codes("MAIL FROM:<a@b> SIZE=100\r\nRCPT TO:<b@c>\r\nDATA\r\n") == "250 250 354");
  // 100 octets with CRLF, before dot-stuffing (K06): the wire has 101.
  CHECK(server.say(".." + std::string(97, 'x') + "\r\n.\r\n").starts_with("250 "));
  CHECK(server.codes("MAIL FROM:<a@b>\r\nRCPT TO:<b@c>\r\nDATA\r\n") == "250 250 354");
  CHECK(server.say(std::string(99, 'x') + "\r\n") == "");
  CHECK(server.store.abandoned == 1);
  CHECK(server.say(std::string(300'000, 'y') + "\r\n") == "");
  CHECK(server.say(".\r\nNOOP\r\n").starts_with("552 5.3.4 message over the limit of 100 octets\r\n250 2.0.0 "));
  CHECK(server.store.messages.size() == 1);

  ServerSettings unlimited;
  unlimited.message_size_max = 0;
  Server any(unlimited);
  any.start();
  CHECK(any.say("EHLO x\r\n").contains("250-SIZE 0\r\n"));
  CHECK(any.codes("MAIL FROM:<a@b> SIZE=99999999999999999999\r\n") == "250");
}

TEST_CASE("bare newlines are refused behind the dot, at every split: Y01, Y05") {
  for (const std::string sequence : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\r\n.\r\r\n", "\n", "\r"}) {
    const std::string content = "a" + sequence + "MAIL FROM:<evil@x>\r\nRCPT TO:<v@d>\r\nDATA\r\nx\r\n.\r\n";
    for (std::size_t split = 0; split <= content.size(); ++split) {
      CAPTURE(sequence);
      CAPTURE(split);
      Server server;
      server.hello().say(kTransaction);
      server.wire->received();
      server.wire->send(content.substr(0, split));
      server.wire->send(content.substr(split));
      CHECK(server.wire->received() == "550 5.6.11 bare CR or LF in the message: lines end in CRLF\r\n");
      CHECK(server.store.messages.empty());
      CHECK(server.store.abandoned == 1);
      CHECK(server.store.mails.size() == 1);
    }
  }
}

TEST_CASE("bare newlines are converted where the operator wants it: Y03") {
  ServerSettings settings;
  settings.bare_newline_ok = true;
  Server server(settings);
  server.hello().say(kTransaction);
  CHECK(server.codes("a\n.\nb\rc\r\n.\r\n") == "250");
  REQUIRE(server.store.messages.size() == 1);
  CHECK(server.store.messages[0].content == "a\r\n.\r\nb\r\nc\r\n");
}

TEST_CASE("large content arrives whole, in chunks") {
  Server server;
  server.hello().say(kTransaction);
  std::string content;
  while (content.size() < 5 * limits::kChunk) content += std::string(content.size() % 997, 'x') + "\r\n";
  server.wire->send(content);
  CHECK(server.codes(".\r\n") == "250");
  CHECK(server.store.messages[0].content == content);
  CHECK(server.store.largest_chunk <= limits::kChunk);
  CHECK(server.store.largest_chunk > limits::kChunk / 2);
}

TEST_CASE("a client that goes away in the middle of content: B11") {
  for (const bool reset : {false, true}) {
    Server server;
    server.hello().say(kTransaction);
    server.say("half a message\r\n");
    if (reset) {
      server.wire->rst();
    } else {
      server.wire->fin();
    }
    CHECK(server.over());
    CHECK(server.store.messages.empty());
    CHECK(server.store.abandoned == 1);
    CHECK(server.world.events.back().contains(reset ? "connection reset" : "closed by peer"));
  }
}

TEST_CASE("recipients: A32") {
  ServerSettings settings;
  settings.recipients_max = 2;
  Server server(settings);
  server.hello();
  server.wire->received();
  CHECK(
      server.codes("MAIL FROM:<a@b>\r\nRCPT TO:<1@d>\r\nRCPT TO:<2@d>\r\nRCPT TO:<3@d>\r\nRCPT TO:<4@d>\r\nDATA\r\n") ==
      "250 250 250 452 452 354");
  server.say(".\r\n");
  CHECK(server.store.messages[0].recipients == std::vector<std::string>{"1@d", "2@d"});
}

TEST_CASE("lines over the limit: A31") {
  Server server;
  server.hello();
  server.wire->received();
  const std::string longest = "NOOP " + std::string(limits::kCommandLine - 7, 'x') + "\r\n";
  REQUIRE(longest.size() == limits::kCommandLine);
  CHECK(server.codes(longest) == "250");
  CHECK(server.codes("NOOP x" + longest.substr(5) + "NOOP\r\n") == "500 250");
  CHECK(server.codes(std::string(100'000, 'z') + "\r\nNOOP\r\n") == "500 250");
}

TEST_CASE("too many errors: Z02") {
  ServerSettings settings;
  settings.errors_max = 3;
  Server server(settings);
  server.hello();
  server.wire->received();
  CHECK(server.codes("X\r\nX\r\nX\r\n") == "500 500 500");
  // An accepted message shows good will.
  server.say(kTransaction);
  CHECK(server.codes(".\r\nX\r\nX\r\nRCPT TO:<a@b>\r\n") == "250 500 500 503");
  CHECK(server.say("X\r\nNOOP\r\n") == "421 4.7.0 too many errors\r\n");
  CHECK(server.over());
  CHECK(server.world.events.back().contains("too many errors"));

  Server idle;
  idle.hello();
  idle.wire->received();
  unsigned answered = 0;
  while (!idle.over() && answered < 1000) {
    idle.say("NOOP\r\n");
    ++answered;
  }
  CHECK(answered == 100);  // EHLO was the first
}

TEST_CASE("time: E07, E10") {
  Server idle;
  idle.start();
  idle.wire->received();
  idle.world.advance(5min - 1s);
  CHECK(idle.wire->received() == "");
  CHECK(idle.codes("NOOP\r\n") == "250");
  idle.world.advance(5min - 1s);
  CHECK(idle.wire->received() == "");
  idle.world.advance(2s);
  CHECK(idle.wire->received() == "421 4.4.2 timed out waiting for you\r\n");
  CHECK(idle.over());

  // A line that drips does not stretch it.
  Server drip;
  drip.start();
  drip.wire->received();
  for (int i = 0; i < 6; ++i) {
    drip.wire->send("x");
    drip.world.advance(59s);
  }
  CHECK(drip.over());

  Server data;
  data.hello().say(kTransaction);
  data.world.advance(5min - 1s);
  data.wire->send("x");
  data.world.advance(5min - 1s);
  CHECK_FALSE(data.over());
  data.world.advance(2s);
  CHECK(data.wire->received().starts_with("421 4.4.2 "));
  CHECK(data.over());
  CHECK(data.store.abandoned == 1);

  Server whole;
  whole.hello();
  for (int i = 0; i < 29; ++i) {
    whole.world.advance(4min);
    whole.say("NOOP\r\n");
  }
  whole.world.advance(4min);
  CHECK(whole.wire->received() == "421 4.4.2 the session took too long\r\n");

  // A client that does not read.
  Server deaf;
  deaf.start();
  deaf.wire->received();
  deaf.wire->set_window(0);
  deaf.wire->send("NOOP\r\n");
  deaf.world.advance(5min + 1s);
  CHECK(deaf.over());
  CHECK(deaf.world.events.back().contains("timed out"));
}

TEST_CASE("stop: at once when idle, behind what is under way otherwise") {
  const std::string farewell = "421 4.3.2 mx.example.org is shutting down\r\n";
  Server idle;
  idle.hello();
  idle.wire->received();
  idle.session->stop();
  idle.session->stop();
  CHECK(idle.wire->received() == farewell);
  CHECK(idle.over());
  CHECK(idle.world.events.back() == "close session=7 direction=in reason=\"shutting down\"");

  Server content;
  content.hello().say(kTransaction);
  content.say("x\r\n");
  content.session->stop();
  CHECK(content.wire->received() == "");
  CHECK(content.say(".\r\n") == "250 2.0.0 queued\r\n" + farewell);
  CHECK(content.over());
  CHECK(content.store.messages.size() == 1);

  // Content that does not come to its end.
  Server slow;
  slow.hello().say(kTransaction);
  slow.session->stop();
  slow.world.advance(ServerSession::kStopGrace - 1s);
  CHECK(slow.wire->received() == "");
  slow.world.advance(1s);
  CHECK(slow.wire->received() == farewell);
  CHECK(slow.over());
  CHECK(slow.store.messages.empty());
  CHECK(slow.store.abandoned == 1);

  // A commit is waited for, however long it takes, and its reply is sent.
  Server committing;
  committing.store.env = &committing.world.env();
  committing.store.commit_takes = ServerSession::kStopGrace + 10s;
  committing.hello().say(kTransaction);
  committing.say("x\r\n.\r\n");
  committing.session->stop();
  committing.world.advance(ServerSession::kStopGrace + 9s);
  CHECK(committing.wire->received() == "");
  committing.world.advance(1s);
  CHECK(committing.wire->received() == "250 2.0.0 queued\r\n" + farewell);
  CHECK(committing.over());

  // A client that does not read its replies.
  Server deaf;
  deaf.start();
  deaf.wire->received();
  deaf.wire->set_window(0);
  deaf.wire->send("NOOP\r\n");
  deaf.session->stop();
  deaf.world.advance(ServerSession::kStopGrace);
  CHECK(deaf.over());

  Server before;
  before.session->stop();
  before.start();
  CHECK(before.wire->received() == "220 mx.example.org ESMTP Postproof\r\n" + farewell);
  CHECK(before.over());
}
