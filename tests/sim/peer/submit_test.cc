#include <doctest/doctest.h>

#include <algorithm>

#include "mta/base/text.h"
#include "tests/sim/peer/lab.h"

namespace postproof::sim {
namespace {

TEST_CASE("a message is handed over as it was meant") {
  Lab lab;
  lab.serve();
  lab.submit({{0s, message({"b@dest.example", "c@dest.example"}, "Subject: x\n\n.one\r\n..two\nlast")}});
  lab.run();
  const auto kept = lab.all<record::PeerMessage>();
  const auto told = lab.all<record::ClientMessage>();
  REQUIRE(kept.size() == 1);
  REQUIRE(told.size() == 1);
  CHECK(kept[0].content == "Subject: x\r\n\r\n.one\r\n..two\r\nlast\r\n");
  CHECK(kept[0].helo == "client.example");
  CHECK(kept[0].mail_parameters == "");
  CHECK(told[0].client == "client");
  CHECK(told[0].to == "mx1");
  CHECK(told[0].connection == 1);
  CHECK(told[0].sender == "a@src.example");
  CHECK(told[0].recipients == kept[0].recipients);
  CHECK(told[0].content == kept[0].content);
  CHECK(told[0].reply == kept[0].reply);
  CHECK(told[0].acknowledged);
  CHECK(lab.sent(Side::opener).ends_with("..one\r\n...two\r\nlast\r\n.\r\nQUIT\r\n"));
}

TEST_CASE("MAIL carries what was given, and BODY where it is needed and offered") {
  struct Case {
    std::string_view from, data;
    bool offered;
    std::string_view mail;
  };
  const Case cases[] = {
      {"", "x\n", true, "MAIL FROM:<>\r\n"},
      {"<>", "x\n", true, "MAIL FROM:<>\r\n"},
      {"a@b", "x\n", true, "MAIL FROM:<a@b>\r\n"},
      {"a@b SIZE=9", "x\n", true, "MAIL FROM:<a@b> SIZE=9\r\n"},
      {"<a@b> SIZE=9", "\xc3\xa9\n", true, "MAIL FROM:<a@b> SIZE=9 BODY=8BITMIME\r\n"},
      {"a@b body=7BIT", "\xc3\xa9\n", true, "MAIL FROM:<a@b> body=7BIT\r\n"},
      {"a@b", "\xc3\xa9\n", false, "MAIL FROM:<a@b>\r\n"},
      {"\"x y\"@b SIZE=1", "x\n", true, "MAIL FROM:<\"x y\"@b> SIZE=1\r\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.mail);
    Lab lab;
    if (!c.offered) lab.settings.keywords = {"SIZE"};
    lab.serve();
    Submit one = message({"b@dest.example"}, std::string(c.data));
    one.from = c.from;
    lab.submit({{0s, one}});
    lab.run();
    CHECK(lab.sent(Side::opener).find(c.mail) != std::string::npos);
    const auto kept = lab.all<record::PeerMessage>();
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].content.starts_with(c.data.substr(0, 1)));
  }
}

TEST_CASE("size adds as much text, in lines") {
  const std::string data = "Subject: x\n\n";
  for (const std::uint64_t size : {2, 77, 78, 79, 80, 156, 157, 1000, 200'000}) {
    CAPTURE(size);
    Lab lab;
    lab.serve();
    Submit one = message({"b@dest.example"}, data);
    one.size = size;
    lab.submit({{0s, one}});
    lab.run();
    const auto kept = lab.all<record::PeerMessage>();
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].content.size() == data.size() + 2 + size);
    CHECK(kept[0].content.ends_with("\r\n"));
    for (std::string_view line : split(kept[0].content, '\n')) CHECK(line.size() <= 77);
  }
}

TEST_CASE("refusals are recorded, and the session is ended in order") {
  struct Case {
    Rule one;
    std::size_t recipients;
    std::string_view reply;
    bool quits = true;
  };
  Rule first = rule("RCPT", "550 no");
  first.match = "b@*";
  Rule drop = rule("DATA", "");
  drop.act = Rule::Act::close;
  const Case cases[] = {
      {rule("connect", "554 no"), 0, ""},
      {rule("connect", "421 no"), 0, "", false},
      {rule("EHLO", "451 no"), 0, ""},
      {rule("MAIL", "451 no"), 0, ""},
      {rule("RCPT", "451 no"), 0, ""},
      {rule("DATA", "451 no"), 2, ""},
      {rule("dot", "451 no"), 2, "451 no"},
      {rule("dot", "421 no"), 2, "421 no", false},
      {drop, 2, "", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.one.on);
    Lab lab;
    lab.serve({c.one});
    lab.submit({{0s, message({"b@dest.example", "c@dest.example"})}});
    CHECK(lab.run() == World::Stopped::idle);
    const auto told = lab.all<record::ClientMessage>();
    REQUIRE(told.size() == 1);
    CHECK_FALSE(told[0].acknowledged);
    CHECK(told[0].recipients.size() == c.recipients);
    CHECK(told[0].reply == c.reply);
    CHECK(lab.sent(Side::opener).ends_with("QUIT\r\n") == c.quits);
    CHECK(lab.peer->sessions() == 0);
  }
}

TEST_CASE("what some recipients are refused, the others get") {
  Lab lab;
  Rule one = rule("RCPT", "550 no");
  one.match = "b@*";
  lab.serve({one});
  lab.submit({{0s, message({"b@dest.example", "c@dest.example"})}});
  lab.run();
  const auto told = lab.all<record::ClientMessage>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].acknowledged);
  CHECK(told[0].recipients == std::vector<std::string>{"c@dest.example"});
}

TEST_CASE("a server without EHLO gets HELO") {
  Lab lab;
  lab.serve({rule("EHLO", "502 no")});
  Submit one = message();
  one.helo = "other.example";
  lab.submit({{0s, one}});
  lab.run();
  CHECK(lab.sent(Side::opener).find("HELO other.example\r\n") != std::string::npos);
  REQUIRE(lab.all<record::PeerMessage>().size() == 1);
  CHECK(lab.all<record::PeerMessage>()[0].helo == "other.example");
}

TEST_CASE("a server that is not there is recorded too") {
  Lab lab;
  lab.submit({{0s, message()}});
  lab.run();
  const auto told = lab.all<record::ClientMessage>();
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].acknowledged);
  CHECK(told[0].connection == 0);
}

TEST_CASE("a silent server is waited for as long as RFC 5321 says") {
  const std::pair<std::string_view, Duration> cases[] = {
      {"connect", 5min}, {"EHLO", 5min}, {"MAIL", 5min}, {"RCPT", 5min}, {"DATA", 2min}, {"dot", 10min},
  };
  for (const auto& [on, patience] : cases) {
    CAPTURE(on);
    Lab lab;
    lab.settings.idle_timeout = 1h;
    Rule mute = rule(std::string(on), "");
    mute.act = Rule::Act::silence;
    lab.serve({mute});
    lab.submit({{0s, message()}});
    lab.run();
    CHECK(lab.time_of<record::ClientMessage>() >= patience);
    CHECK(lab.time_of<record::ClientMessage>() < patience + 1s);
  }
}

TEST_CASE("greylisting lets the same triplet pass when its time has come") {
  Lab lab;
  Rule grey = rule("RCPT", "450 4.2.0 greylisted");
  grey.first_seen = 10min;
  lab.serve({grey});
  lab.submit({{0s, message()}, {5min, message()}, {11min, message()}, {11min, message({"new@dest.example"})}});
  lab.run();
  std::vector<bool> acknowledged;
  for (const auto& told : lab.all<record::ClientMessage>()) acknowledged.push_back(told.acknowledged);
  CHECK(acknowledged == std::vector<bool>{false, false, true, false});
  CHECK(lab.all<record::Fault>().size() == 3);
}

}  // namespace
}  // namespace postproof::sim
