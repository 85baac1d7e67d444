// A correct receiver, with and without rules, as a scripted client sees it.
#include "sim/peer/peer.h"

#include <doctest/doctest.h>

#include "tests/sim/peer/lab.h"

namespace postproof::sim {
namespace {

constexpr std::string_view kToData = R"(
< 220 mx1.dest.example ESMTP ready
> EHLO c.example
< 250
> MAIL FROM:<a@src.example>
< 250 2.1.0
> RCPT TO:<b@dest.example>
< 250 2.1.5
> DATA
< 354
)";

TEST_CASE("a correct receiver keeps a message") {
  Lab lab;
  lab.serve();
  lab.talk(R"(
< 220 mx1.dest.example ESMTP ready
> EHLO c.example
< 250-mx1.dest.example
> MAIL FROM:<a@src.example> SIZE=5 BODY=8BITMIME
< 250 2.1.0
> RCPT TO:<b@dest.example>
< 250 2.1.5
> RCPT TO:<c@dest.example>
< 250 2.1.5
> DATA
< 354
>> "..x\r\ny\n.\nz\r\n.\r\n"
< 250 2.0.0 taken as 1
> NOOP
< 250 2.0.0
> VRFY a
< 252
> QUIT
< 221 2.0.0
! eof within 1s
)");
  CHECK(lab.run() == World::Stopped::idle);
  CHECK(lab.script_failures() == "");
  const auto kept = lab.all<record::PeerMessage>();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].peer == "mx1");
  CHECK(kept[0].connection == 1);
  CHECK(kept[0].helo == "c.example");
  CHECK(kept[0].mail_parameters == "SIZE=5 BODY=8BITMIME");
  CHECK(kept[0].sender == "a@src.example");
  CHECK(kept[0].recipients == std::vector<std::string>{"b@dest.example", "c@dest.example"});
  CHECK(kept[0].content == ".x\r\ny\n.\nz\r\n");
  CHECK(kept[0].reply == "250 2.0.0 taken as 1");
  CHECK(kept[0].accepted);
  CHECK(lab.all<record::Fault>().empty());
  // The client's own observer saw the same.
  const auto told = lab.all<record::ClientMessage>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].content == kept[0].content);
  CHECK(told[0].recipients == kept[0].recipients);
  CHECK(told[0].acknowledged);
}

TEST_CASE("commands out of order or out of shape are answered, and change nothing") {
  Lab lab;
  lab.serve();
  lab.talk(R"(
< 220
> MAIL FROM:<a@src.example>
< 503 5.5.1
> EHLO
< 501
> EHLO c.example
< 250
> RCPT TO:<b@dest.example>
< 503
> DATA
< 503
> MAIL a@src.example
< 501
> MAIL FROM:<a@src.example> RET=HDRS
< 555 5.5.4
> MAIL FROM:<a@src.example>
< 250
> MAIL FROM:<b@src.example>
< 503
> RCPT TO:<>
< 501
> DATA
< 554 5.5.1
> RCPT TO:<b@dest.example>
< 250
> DATA now
< 501
> RSET
< 250
> DATA
< 503
> STARTTLS
< 502
> BOGUS
< 500 5.5.1
>> "NOOP\nNOOP\r\n"
< 500 5.5.2
>> "\r\n"
< 500
> HELO c.example
< 250 mx1.dest.example
> MAIL FROM:<a@src.example> SIZE=3
< 555
> quit
< 221
)");
  lab.run();
  CHECK(lab.script_failures() == "");
  CHECK(lab.all<record::PeerMessage>().empty());
}

TEST_CASE("EHLO lists the keywords that were given, and no others are honoured") {
  Lab lab;
  lab.settings.keywords = {"SIZE", "DSN"};
  lab.settings.banner = "hello there";
  lab.serve();
  lab.talk(R"(
< 220 mx1.dest.example hello there
> EHLO c.example
< 250
> MAIL FROM:<a@src.example> BODY=8BITMIME
< 555 BODY was not offered
> MAIL FROM:<a@src.example> size=1 RET=HDRS
< 250 sender ok
> RCPT TO:<b@dest.example> NOTIFY=NEVER
< 250 recipient ok
> QUIT
< 221
)");
  lab.run();
  CHECK(lab.script_failures() == "");
  CHECK(lab.sent(Side::acceptor).find("250-mx1.dest.example\r\n250-SIZE\r\n250 DSN\r\n") != std::string::npos);
}

TEST_CASE("pipelined commands are answered in order, in one write where nothing comes between") {
  Lab lab;
  Rule one_refused = rule("RCPT", "550 5.1.1 no such user");
  one_refused.match = "no@*";
  Rule slow = rule("RCPT", "");
  slow.match = "slow@*";
  slow.delay = 7s;
  lab.serve({one_refused, slow});
  lab.talk(R"(
< 220
> EHLO c.example
< 250
>> "MAIL FROM:<a@src.example>\r\nRCPT TO:<no@dest.example>\r\nRCPT TO:<b@dest.example>\r\nRCPT TO:<slow@dest.example>\r\nDATA\r\n"
< 250 2.1.0
< 550 5.1.1
< 250 2.1.5
< 250 2.1.5
< 354
>> "x\r\n.\r\nMAIL FROM:<second@src.example>\r\nQUIT\r\n"
< 250 2.0.0
< 250 2.1.0
< 221
)");
  lab.run();
  CHECK(lab.script_failures() == "");
  bool together = false;
  for (const auto& octets : lab.all<record::Octets>()) {
    together |= octets.octets == "250 2.1.0 sender ok\r\n550 5.1.1 no such user\r\n250 2.1.5 recipient ok\r\n";
  }
  CHECK(together);
  const auto kept = lab.all<record::PeerMessage>();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].recipients == std::vector<std::string>{"b@dest.example", "slow@dest.example"});
  CHECK(lab.time_of<record::PeerMessage>() >= Duration(7s));
}

TEST_CASE("a client that says nothing gets 421") {
  for (const bool in_content : {false, true}) {
    Lab lab;
    lab.settings.idle_timeout = 1min;
    lab.serve();
    lab.talk(in_content ? std::string(kToData) + "> half a message\n! silence 59s\n< 421 4.4.2\n! eof within 1s\n"
                        : std::string("< 220\n! silence 59s\n< 421 4.4.2\n! eof within 1s\n"));
    lab.run();
    CHECK(lab.script_failures() == "");
    CHECK(lab.all<record::PeerMessage>().empty());
  }
}

TEST_CASE("content without its final dot is no message") {
  for (const std::string_view end : {"! close", "! reset", "! half-close"}) {
    Lab lab;
    lab.serve();
    lab.talk(std::string(kToData) + ">> \"x\\r\\n.\\r\"\n" + std::string(end));
    CHECK(lab.run() == World::Stopped::idle);
    CHECK(lab.script_failures() == "");
    CHECK(lab.all<record::PeerMessage>().empty());
    CHECK(lab.peer->sessions() == 0);
  }
}

TEST_CASE("a rule changes one answer, and the state follows what was answered") {
  struct Case {
    Rule one;
    std::string_view script;
    std::string_view fault, detail;
    int messages = 0;
  };
  const auto raw = [](std::string on, std::string octets) {
    Rule made = rule(std::move(on), "");
    made.raw = std::move(octets);
    return made;
  };
  const auto act = [](std::string on, Rule::Act what) {
    Rule made = rule(std::move(on), "");
    made.act = what;
    return made;
  };
  const Case cases[] = {
      {rule("connect", "554 no service"), "< 554\n> EHLO c\n< 503\n> QUIT\n< 221\n! eof within 1s\n", "smtp.reply",
       "connect: 554 no service"},
      {rule("connect", "421 busy"), "< 421 busy\n! eof within 1s\n", "smtp.reply", "connect: 421 busy"},
      {act("connect", Rule::Act::silence), "! silence 1m\n> EHLO c\n< 250\n", "smtp.silence", "connect: no answer"},
      {act("connect", Rule::Act::reset), "! eof within 1s\n", "smtp.reset", "connect: no answer and resets"},
      {rule("EHLO", "502 no"),
       "< 220\n> EHLO c\n< 502 no\n> MAIL FROM:<a@b>\n< 503\n> HELO c\n< 250\n> MAIL FROM:<a@b>\n< 250\n", "smtp.reply",
       "EHLO c: 502 no"},
      {rule("MAIL", "451 later"), "< 220\n> EHLO c\n< 250\n> MAIL FROM:<a@b>\n< 451 later\n> RCPT TO:<c@d>\n< 503\n",
       "smtp.reply", "MAIL a@b: 451 later"},
      {raw("EHLO", "250-half\r\n250 junk\r\n"), "< 220\n> EHLO c\n< 250-half\n> MAIL FROM:<a@b>\n< 250\n", "smtp.raw",
       "EHLO c: sends \"250-half\r\n250 junk\r\n\""},
      {rule("DATA", "554 no"),
       "< 220\n> EHLO c\n< 250\n> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<c@d>\n< 250\n> DATA\n< 554 no\n> NOOP\n< 250\n",
       "smtp.reply", "DATA: 554 no"},
      {act("QUIT", Rule::Act::close), "< 220\n> QUIT\n! eof within 1s\n", "smtp.close", "QUIT: no answer and closes"},
      {rule("NOOP", "421 enough"), "< 220\n> NOOP\n< 421 enough\n! eof within 1s\n", "smtp.reply", "NOOP: 421 enough"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.detail);
    Lab lab;
    lab.serve({c.one});
    lab.talk(std::string(c.script));
    lab.run();
    CHECK(lab.script_failures() == "");
    const auto faults = lab.all<record::Fault>();
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].kind == c.fault);
    CHECK(faults[0].where == "mx1");
    CHECK(faults[0].line == 12);
    CHECK(faults[0].detail == c.detail);
  }
}

TEST_CASE("a peer may keep a message without saying so") {
  struct Case {
    Rule::Act act;
    bool take;
    std::string_view reply;
    bool accepted;
    std::string_view end;  // of the client's script
  };
  const Case cases[] = {
      {Rule::Act::close, true, "", true, "! eof within 1s"},
      {Rule::Act::close, false, "", false, "! eof within 1s"},
      {Rule::Act::reset, true, "", true, "! eof within 1s"},
      {Rule::Act::reset, false, "", false, "! eof within 1s"},
      {Rule::Act::silence, true, "", true, "! silence 1m"},
      {Rule::Act::silence, false, "", false, "! silence 1m"},
      {Rule::Act::close, true, "250 fine", true, "< 250 fine\n! eof within 1s"},
      {Rule::Act::close, true, "451 later", false, "< 451 later\n! eof within 1s"},
      {Rule::Act::reply, true, "552 full", false, "< 552 full"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.end);
    CAPTURE(c.take);
    Lab lab;
    Rule one = rule("dot", std::string(c.reply));
    one.act = c.act;
    one.take = c.take;
    lab.serve({one});
    lab.talk(std::string(kToData) + "> x\n> .\n" + std::string(c.end));
    lab.run();
    CHECK(lab.script_failures() == "");
    const auto seen = lab.all<record::PeerMessage>();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].accepted == c.accepted);
    CHECK(seen[0].reply == c.reply);
  }
}

TEST_CASE("a reply that nobody waits for any more is none") {
  Lab lab;
  Rule slow = rule("dot", "");
  slow.delay = 10min;
  lab.serve({slow});
  lab.talk(std::string(kToData) + "> x\n> .\n! wait 5m\n! reset\n");
  lab.run();
  const auto seen = lab.all<record::PeerMessage>();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].accepted);
  CHECK(seen[0].reply == "");
  const auto told = lab.all<record::ClientMessage>();
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].acknowledged);
}

TEST_CASE("stop() ends sessions that wait, and run()") {
  Lab lab;
  Rule slow = rule("EHLO", "");
  slow.delay = 10h;
  lab.serve({slow});
  lab.talk("< 220\n> EHLO c\n! eof within 1m\n");
  lab.world.at(30s, [&] { lab.peer->stop(); });
  lab.run();
  CHECK(lab.script_failures() == "");
  CHECK(lab.served);
  CHECK(lab.world.now() < Duration(2min));
}

TEST_CASE("a peer ends with its host, and serves again when that comes back") {
  Lab lab;
  Rule slow = rule("dot", "");
  slow.delay = 10h;
  slow.until = 50s;  // since the peer has begun to serve
  lab.serve({slow});
  lab.submit({{0s, message()}, {2min, message()}});
  lab.world.at(30s, [&] { lab.mx1.crash(); });
  lab.world.at(60s, [&] {
    CHECK(lab.served);  // by the crash
    lab.mx1.restart();
  });
  lab.run();
  // The message that waited for its answer went down with the host.
  const auto seen = lab.all<record::PeerMessage>();
  REQUIRE(seen.size() == 1);
  CHECK(lab.time_of<record::PeerMessage>() > Duration(2min));
  const auto told = lab.all<record::ClientMessage>();
  REQUIRE(told.size() == 2);
  CHECK_FALSE(told[0].acknowledged);
  CHECK(told[1].acknowledged);
}

TEST_CASE("an address that is not there is told") {
  Lab lab;
  lab.settings.listen.push_back(Endpoint(*IpAddress::parse("192.0.2.99"), 25));
  lab.serve();
  lab.run();
  CHECK(lab.served);
  CHECK(lab.serve_error.find("192.0.2.99:25") != std::string::npos);
}

TEST_CASE("a message in chunks; a refused chunk is read, and spoils the rest until RSET") {
  Lab lab;
  lab.settings.keywords = {"CHUNKING"};
  lab.serve({rule("BDAT", "452 4.3.1 full")});
  lab.talk(R"(
< 220
> EHLO c.example
< 250
> BDAT 4
>> "QUIT"
< 452
> MAIL FROM:<a@src.example>
< 250
> RCPT TO:<b@dest.example>
< 250
> RSET
< 250
> QUIT
< 221
)");
  CHECK(lab.run() == World::Stopped::idle);
  CHECK(lab.script_failures() == "");
  CHECK(lab.all<record::PeerMessage>().empty());

  Lab good;
  good.settings.keywords = {"CHUNKING"};
  good.serve();
  good.talk(R"(
< 220
> EHLO c.example
< 250
> BDAT 5 LAST
>> "QUIT\n"
< 503
> MAIL FROM:<a@src.example>
< 250
> RCPT TO:<b@dest.example>
< 250
> BDAT 3
>> ".\r\n"
< 250
> BDAT 6 LAST
>> ".\r\nx\r\n"
< 250 taken as 1
> QUIT
< 221
)");
  CHECK(good.run() == World::Stopped::idle);
  CHECK(good.script_failures() == "");
  const auto kept = good.all<record::PeerMessage>();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].content == ".\r\n.\r\nx\r\n");
}

TEST_CASE("LMTP for who says LHLO: one answer to each recipient") {
  Lab lab;
  Rule full = rule("dot", "452 4.2.2 full");
  full.match = "full@*";
  lab.serve({full});
  lab.talk(R"(
< 220
> LHLO c.example
< 250
> MAIL FROM:<a@src.example>
< 250
> RCPT TO:<b@dest.example>
< 250
> RCPT TO:<full@dest.example>
< 250
> RCPT TO:<c@dest.example>
< 250
> DATA
< 354
> .
< 250 2.0.0 taken as 1
< 452 4.2.2 full
< 250 2.0.0 taken as 2
> QUIT
< 221
)");
  CHECK(lab.run() == World::Stopped::idle);
  CHECK(lab.script_failures() == "");
  const auto kept = lab.all<record::PeerMessage>();
  REQUIRE(kept.size() == 3);
  CHECK(kept[0].recipients == std::vector<std::string>{"b@dest.example"});
  CHECK(kept[0].accepted);
  CHECK(kept[1].recipients == std::vector<std::string>{"full@dest.example"});
  CHECK_FALSE(kept[1].accepted);
  CHECK(kept[2].accepted);
}

}  // namespace
}  // namespace postproof::sim
