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
        "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n"
        "250-CHUNKING\r\n250-DSN\r\n250-SMTPUTF8\r\n250-ETRN\r\n250 LIMITS RCPTMAX=1000\r\n");
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
      {{"EHLO x", "250- 250- 250- 250- 250- 250- 250- 250- 250- 250"}, {"HELO x", "250"}, {"MAIL FROM:<a@b> SIZE=1", "555"}},
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
  const std::string want = "220 250- 250- 250- 250- 250- 250- 250- 250- 250- 250 250 550 250 250 354 250 250 250 354 250 221";
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
  settings.error_delay = 0s;
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

  settings.errors_max = 1000;
  Server idle(settings);
  idle.hello();
  idle.wire->received();
  unsigned answered = 0;
  while (!idle.over() && answered < 1000) {
    idle.say("NOOP\r\n");
    ++answered;
  }
  CHECK(answered == 100);  // EHLO was the first
}

TEST_CASE("a client that errs, or idles, is answered more and more slowly: Z02") {
  ServerSettings settings;
  settings.errors_max = 4;
  settings.error_delay = 3s;
  Server server(settings);
  server.hello();
  server.wire->received();
  CHECK(server.codes("X\r\nX\r\n") == "500 500");
  for (int i = 0; i < 2; ++i) {
    CHECK(server.say("X\r\n") == "");
    server.world.advance(3s - 1ms);
    CHECK(server.wire->received() == "");
    server.world.advance(1ms);
    CHECK(server.wire->received().starts_with("500 "));
  }
  CHECK(server.codes("X\r\n") == "421");

  // Whether it waits for its replies or not.
  Server flood;
  flood.hello();
  flood.wire->received();
  std::string noops;
  for (int i = 0; i < 60; ++i) noops += "NOOP\r\n";
  CHECK(flood.say(noops) == "");
  flood.world.advance(10s);  // EHLO was the first of what leads nowhere: the 50th NOOP is the 51st
  CHECK(flood.wire->received() == "");
  flood.world.advance(1s);
  CHECK(flood.wire->received().size() == 60 * std::string_view("250 2.0.0 ok\r\n").size());

  // A stop waits for no such time.
  Server stopped(settings);
  stopped.hello();
  stopped.wire->received();
  stopped.wire->send("X\r\nX\r\nX\r\n");
  stopped.session->stop();
  CHECK(stopped.wire->received().ends_with("421 4.3.2 mx.example.org is shutting down\r\n"));
  CHECK(stopped.over());
}

TEST_CASE("transactions of a session: told by LIMITS, and kept (RFC 9422)") {
  ServerSettings settings;
  settings.transactions_max = 2;
  settings.recipients_max = 7;
  Server server(settings);
  server.start();
  CHECK(server.say("EHLO x\r\n").contains("LIMITS MAILMAX=2 RCPTMAX=7\r\n"));
  for (int i = 0; i < 2; ++i) {
    server.say(kTransaction);
    CHECK(server.codes(".\r\n") == "250");
  }
  CHECK(server.say("MAIL FROM:<a@b>\r\n") == "421 4.5.3 too many messages in one session\r\n");
  CHECK(server.over());
}

TEST_CASE("content that comes too slowly: E10") {
  ServerSettings settings;
  settings.data_timeout = 60s;
  settings.data_rate_min = 2;
  // An octet a second: half of what it costs comes back, so that the patience of a minute lasts two, of
  // which the first octet earns nothing.
  Server slow(settings);
  slow.hello().say(kTransaction);
  slow.wire->received();
  int seconds = 0;
  for (; seconds < 1000 && !slow.over(); ++seconds) {
    slow.wire->send("x");
    slow.world.advance(1s);
  }
  CHECK(seconds == 119);
  CHECK(slow.wire->received().starts_with("421 4.4.2 "));
  CHECK(slow.store.abandoned == 1);

  Server steady(settings);
  steady.hello().say(kTransaction);
  for (int i = 0; i < 1000; ++i) {
    steady.wire->send("xx");
    steady.world.advance(1s);
  }
  // It has earned no more than the minute: silence is cut off as ever.
  steady.world.advance(58s);  // behind the one of the last two octets
  CHECK_FALSE(steady.over());
  steady.world.advance(1s);
  CHECK(steady.over());

  // The chunks of BDAT are content, those that are refused too.
  Server chunk(settings);
  chunk.hello();
  chunk.wire->send("BDAT 100000\r\n");
  for (seconds = 0; seconds < 1000 && !chunk.over(); ++seconds) {
    chunk.wire->send("x");
    chunk.world.advance(1s);
  }
  CHECK(seconds == 119);

  ServerSettings any;
  any.data_timeout = 60s;
  Server patient(any);
  patient.hello().say(kTransaction);
  for (int i = 0; i < 100; ++i) {
    patient.wire->send("x");
    patient.world.advance(59s);
  }
  CHECK_FALSE(patient.over());
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

namespace {

constexpr std::string_view kRecipient = "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@dest.example>\r\n";

}  // namespace

TEST_CASE("BDAT, at every split: a reply to each chunk, and dots are octets: L03, L04") {
  const std::string all = std::string(kRecipient) +
                          "BDAT 10\r\n.\r\n..\r\n.\r\nBDAT 0\r\nBDAT 3\r\nx\r\nBDAT 6 LAST\r\ny\r\n.\r\n"
                          "MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nBDAT 0 LAST\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nQUIT\r\n";
  const std::string want = "250 250 250 250 250 250 250 250 250 250 250 354 250 221";
  for (std::size_t split = 0; split <= all.size(); ++split) {
    Server server;
    server.hello();
    server.wire->received();
    server.wire->send(std::string_view(all).substr(0, split));
    server.wire->send(std::string_view(all).substr(split));
    CHECK(Server::codes_of(server.wire->received()) == want);
    REQUIRE(server.store.messages.size() == 3);
    CHECK(server.store.messages[0].content == ".\r\n..\r\n.\r\nx\r\ny\r\n.\r\n");
    CHECK(server.store.messages[1].content.empty());
    CHECK(server.store.messages[2].content.empty());
  }
  Server server;
  server.hello().say(kRecipient);
  CHECK(server.say("BDAT 3\r\nabc") == "250 2.0.0 3 octets received\r\n");
  CHECK(server.say("BDAT 4 LAST\r\n\r\nde") == "250 2.0.0 queued\r\n");
  CHECK(server.store.messages[0].content == "abc\r\nde\r\n");
  CHECK(server.say("BDAT 4 LAST\r\n\r\nde").starts_with("503 5.5.1 "));
}

TEST_CASE("BDAT where it may not be: its octets are no commands: L05") {
  const std::string chunk = "MAIL FROM:<evil@x>\r\n";
  const std::string bdat = "BDAT " + std::to_string(chunk.size());
  struct Case {
    std::string before, want;
  };
  for (const Case& c : {Case{"", "503 503 250"}, Case{"MAIL FROM:<a@b>\r\n", "250 503 503 250"},
                        Case{"MAIL FROM:<a@b>\r\nRCPT TO:<no@f>\r\n", "250 550 554 503 250"}}) {
    CAPTURE(c.before);
    Server server;
    server.store.refused.emplace("no@f", Reply::of(550, "5.1.1", "no such user"));
    server.hello();
    server.wire->received();
    CHECK(server.codes(c.before + bdat + "\r\n" + chunk + bdat + " LAST\r\n" + chunk + "NOOP\r\n") == c.want);
    CHECK(server.store.mails.size() == (c.before.empty() ? 0 : 1));
    CHECK(server.store.begun == 0);
  }
  // After HELO it is not offered.
  Server plain;
  plain.start();
  plain.say("HELO x\r\n" + std::string(kRecipient));
  CHECK(plain.codes(bdat + " LAST\r\n" + chunk + "NOOP\r\n") == "502 250");

  // DATA behind it, and recipients.
  Server mixed;
  mixed.hello().say(kRecipient);
  mixed.wire->received();
  CHECK(mixed.codes("BDAT 3\r\nx\r\n") == "250");
  CHECK(mixed.codes("DATA\r\n") == "503");
  CHECK(mixed.codes("RCPT TO:<c@d>\r\n") == "503");
  CHECK(mixed.codes("MAIL FROM:<c@d>\r\n") == "503");
  CHECK(mixed.codes("NOOP\r\n") == "250");
  CHECK(mixed.codes("BDAT 0 LAST\r\n") == "250");
  CHECK(mixed.store.messages[0].content == "x\r\n");
  CHECK(mixed.store.messages[0].recipients.size() == 1);
}

TEST_CASE("a chunk that is refused refuses those behind it, up to RSET or the last: L06") {
  for (const bool reset : {true, false}) {
    ServerSettings settings;
    settings.message_size_max = 10;
    Server server(settings);
    server.hello().say(kRecipient);
    server.wire->received();
    CHECK(server.codes("BDAT 8\r\n123456\r\n") == "250");
    CHECK(server.say("BDAT 8\r\n") == "");  // read before it is answered
    CHECK(server.codes("QUIT\r\n\r\n") == "552");
    CHECK(server.store.abandoned == 1);
    CHECK(server.codes("BDAT 6\r\nQUIT\r\n") == "503");
    CHECK(server.codes("DATA\r\n") == "503");
    CHECK(server.codes("RCPT TO:<c@d>\r\n") == "503");
    CHECK(server.codes(reset ? "RSET\r\n" : "BDAT 6 LAST\r\nQUIT\r\n") == (reset ? "250" : "503"));
    CHECK(server.codes(std::string(kRecipient) + "BDAT 3 LAST\r\nx\r\n") == "250 250 250");
    CHECK(server.store.messages.size() == 1);
    CHECK(server.store.messages[0].content == "x\r\n");
  }
  Server full;
  full.store.begin_refusal = Reply::of(452, "4.3.1", "disk full");
  full.hello().say(kRecipient);
  full.wire->received();
  CHECK(full.codes("BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n") == "452 503 250");

  Server late;
  late.store.commit_refusal = Reply::of(451, "4.3.0", "x");
  late.hello().say(kRecipient);
  late.wire->received();
  CHECK(late.codes("BDAT 3\r\nx\r\nBDAT 0 LAST\r\nBDAT 6 LAST\r\nQUIT\r\n") == "250 451 503");
}

TEST_CASE("sizes of chunks that nobody can hold, or read: L07") {
  struct Case {
    const char *size, *want;
  };
  for (const Case& c : {Case{"2147483648", "552 421"}, Case{"4294967296", "552 421"}, Case{"4294967298", "552 421"},
                        Case{"9223372036854775808", "552 421"}, Case{"18446744073709551615", "552 421"},
                        Case{"18446744073709551616", "501 421"}, Case{"-1", "501 421"}, Case{"", "501 421"},
                        Case{"2 LUST", "501 421"}, Case{"0x2", "501 421"}}) {
    CAPTURE(c.size);
    Server server;
    server.hello().say(kRecipient);
    server.wire->received();
    CHECK(server.codes("BDAT " + std::string(c.size) + "\r\nMAIL FROM:<evil@x>\r\n") == c.want);
    CHECK(server.over());
    CHECK(server.store.mails.size() == 1);
    CHECK(server.store.messages.empty());
  }
  // A line that is too long is a BDAT all the same.
  Server server;
  server.hello();
  server.wire->received();
  CHECK(server.codes("BDAT " + std::string(limits::kCommandLine, '0') + "6\r\nQUIT\r\n") == "501 421");
  // Refused, and small enough to be read.
  Server refused;
  refused.hello();
  refused.wire->received();
  refused.wire->send("BDAT 300000\r\n" + std::string(300'000, '\n'));
  CHECK(refused.codes("NOOP\r\n") == "503 250");
}

TEST_CASE("bare newlines in chunks: refused or converted, as in DATA: Y03, Y04") {
  for (const std::string sequence : {"\n.\n", "\n", "\r", "\r.\r", "\n.\r\n"}) {
    CAPTURE(sequence);
    const std::string content = "a" + sequence + "b\r\n";
    for (std::size_t split = 0; split <= content.size(); ++split) {
      const std::string chunks = "BDAT " + std::to_string(split) + "\r\n" + content.substr(0, split) + "BDAT " +
                                 std::to_string(content.size() - split) + " LAST\r\n" + content.substr(split);
      Server strict;
      strict.hello().say(kRecipient);
      strict.wire->received();
      const std::string codes = strict.codes(chunks);
      CHECK((codes == "250 550" || codes == "550 503"));
      CHECK(strict.store.messages.empty());
      ServerSettings settings;
      settings.bare_newline_ok = true;
      Server lenient(settings);
      lenient.hello().say(kRecipient);
      lenient.wire->received();
      CHECK(lenient.codes(chunks) == "250 250");
      CHECK_FALSE(lenient.store.messages[0].content.contains("a\n"));
      CHECK(lenient.store.messages[0].content.starts_with("a\r\n"));
    }
  }
  // A CR at the very end has no LF to come.
  Server server;
  server.hello().say(kRecipient);
  server.wire->received();
  CHECK(server.codes("BDAT 2 LAST\r\na\r") == "550");
}

TEST_CASE("large chunks arrive whole; one that ends in the middle is nothing: L07") {
  Server server;
  server.hello().say(kRecipient);
  server.wire->received();
  const std::string text(5 * limits::kChunk, 'x');
  server.wire->send("BDAT " + std::to_string(text.size()) + "\r\n" + text);
  CHECK(server.codes("BDAT 2 LAST\r\n\r\n") == "250 250");
  CHECK(server.store.messages[0].content == text + "\r\n");
  CHECK(server.store.largest_chunk <= limits::kChunk);

  Server gone;
  gone.hello().say(kRecipient);
  gone.say("BDAT 100 LAST\r\nhalf");
  gone.wire->fin();
  CHECK(gone.over());
  CHECK(gone.store.messages.empty());
  CHECK(gone.store.abandoned == 1);

  Server stopped;
  stopped.hello().say(kRecipient);
  stopped.say("BDAT 100 LAST\r\nhalf");
  stopped.session->stop();
  stopped.world.advance(ServerSession::kStopGrace - 1s);
  CHECK(stopped.wire->received() == "");
  stopped.world.advance(1s);
  CHECK(stopped.wire->received().starts_with("421 4.3.2 "));
  CHECK(stopped.over());
  CHECK(stopped.store.messages.empty());

  Server silent;
  silent.hello().say(kRecipient);
  silent.wire->received();
  silent.say("BDAT 100 LAST\r\nhalf");
  silent.world.advance(5min);
  CHECK(silent.wire->received().starts_with("421 4.4.2 "));
  CHECK(silent.over());
}

TEST_CASE("BDAT 0 that never comes to its last leads nowhere") {
  ServerSettings settings;
  settings.error_delay = 0s;
  Server server(settings);
  server.hello().say(kRecipient);
  unsigned answered = 0;
  while (!server.over() && answered < 1000) {
    server.say("BDAT 0\r\n");
    ++answered;
  }
  CHECK(answered == 100);
}

TEST_CASE("ETRN: AA02") {
  Server server;
  server.start();
  server.wire->received();
  CHECK(server.codes("ETRN dest.example\r\n") == "503");
  CHECK(server.say("EHLO x\r\n").contains("250-ETRN\r\n"));
  CHECK(server.say("ETRN Dest.Example\r\n") == "251 2.0.0 nothing waits\r\n");
  CHECK(server.codes("ETRN @dest.example\r\n") == "251");
  CHECK(server.codes("MAIL FROM:<a@b>\r\nETRN dest.example\r\n") == "250 503");
  CHECK(server.codes("HELO x\r\nETRN dest.example\r\n") == "250 502");
  CHECK(server.store.started == std::vector<std::string>{"dest.example", "@dest.example"});
}

TEST_CASE("XCLIENT: from those who may, the session begins again as another's: AA07") {
  ServerSettings settings;
  settings.xclient_from = {*IpNetwork::parse("192.0.2.0/30")};
  settings.refused_clients = {*IpNetwork::parse("203.0.113.0/24")};
  Server server(settings);
  server.start();
  server.wire->received();
  CHECK(server.say("EHLO proxy.example\r\n").contains("XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n"));
  CHECK(server.codes("MAIL FROM:<a@b>\r\nXCLIENT ADDR=198.51.100.7\r\nRSET\r\n") == "250 503 250");
  CHECK(server.say("XCLIENT ADDR=198.51.100.7 PORT=1234 NAME=client.example\r\n") ==
        "220 mx.example.org ESMTP Postproof\r\n");
  CHECK(server.codes("MAIL FROM:<a@b>\r\n") == "503");
  server.say("EHLO client.example\r\nMAIL FROM:<a@b>\r\n");
  const SessionInfo& told = server.store.sessions.back();
  CHECK(told.peer.to_string() == "198.51.100.7:1234");
  CHECK(told.peer_name == "client.example");
  CHECK(told.local.to_string() == "192.0.2.25:25");

  // It is the connection that may; the last word counts.
  server.say("RSET\r\nXCLIENT ADDR=IPV6:2001:db8::7 HELO=client.example PROTO=SMTP DESTADDR=192.0.2.26 DESTPORT=587\r\n");
  CHECK(server.codes("MAIL FROM:<a@b>\r\nRSET\r\n") == "250 250");
  const SessionInfo& again = server.store.sessions.back();
  CHECK(again.peer.to_string() == "[2001:db8::7]:0");
  CHECK(again.peer_name.empty());
  CHECK(again.local.to_string() == "192.0.2.26:587");
  CHECK(again.helo == "client.example");
  CHECK_FALSE(again.esmtp);
  CHECK(server.codes("XCLIENT ADDR=203.0.113.9\r\nEHLO x\r\nQUIT\r\n") == "554 503 221");

  Server spoofed;
  spoofed.start();
  spoofed.wire->received();
  CHECK_FALSE(spoofed.say("EHLO x\r\n").contains("XCLIENT"));
  CHECK(spoofed.codes("XCLIENT ADDR=10.0.0.1\r\nMAIL FROM:<a@b>\r\n") == "550 250");
  CHECK(spoofed.store.sessions.back().peer.to_string() == "192.0.2.1:40000");
}
