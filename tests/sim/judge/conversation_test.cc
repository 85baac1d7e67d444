#include <doctest/doctest.h>

#include "sim/judge/conversation.h"
#include "sim/judge/identity.h"
#include "tests/sim/judge/story.h"

namespace postproof::sim::test {

TEST_CASE("a session is read from its octets, however they were cut") {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, std::size_t{10'000}}) {
    CAPTURE(cut);
    Story story;
    const ConnectionId id = story.dial("sut", "mx");
    const auto say = [&](Side side, std::string_view text) {
      for (; !text.empty(); text.remove_prefix(std::min(cut, text.size())))
        story.say(id, side, std::string(text.substr(0, cut)));
    };
    say(Side::acceptor, "220-mx\r\n220 hello\r\n");
    say(Side::opener, "EHLO a\r\n");
    say(Side::acceptor, "250 mx\r\n");
    say(Side::opener, "MAIL FROM:<\"a>b\"@c> SIZE=3\r\nRCPT TO:<x@y>\r\nRCPT TO:<no@y>\r\nDATA\r\n");
    say(Side::acceptor, "250 a\r\n250 b\r\n550 c\r\n354 d\r\n");
    say(Side::opener, "line\r\n..dot\r\nDATA\r\n.\r\nQUIT\r\n");
    say(Side::acceptor, "250 e\r\n");
    const auto conversations = read_conversations(story.recording);
    REQUIRE(conversations.size() == 1);
    const Conversation& c = conversations[0];
    CHECK(c.open);
    REQUIRE(c.replies.size() == 7);
    CHECK(c.replies[0].on_one_line() == "220-mx | 220 hello");
    REQUIRE(c.commands.size() == 6);
    CHECK(c.commands[1].address == "\"a>b\"@c");
    CHECK(c.commands[1].parameters == "SIZE=3");
    CHECK(c.commands[5].verb == "QUIT");
    CHECK_FALSE(c.commands[5].reply);
    REQUIRE(c.messages.size() == 1);
    CHECK(c.messages[0].sender == "\"a>b\"@c");
    CHECK(c.messages[0].recipients == std::vector<std::string>{"x@y"});
    CHECK(c.messages[0].content == "line\r\n.dot\r\nDATA\r\n");
    REQUIRE(c.messages[0].reply);
    CHECK(c.replies[*c.messages[0].reply].lines[0] == "250 e");
  }
}

TEST_CASE("chunks of BDAT and a PROXY header are read as what they are") {
  Story story;
  const ConnectionId id = story.dial("client", "sut");
  story.say(id, Side::opener, "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n");
  story.say(id, Side::acceptor, "220 sut\r\n");
  story.say(id, Side::opener, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 6\r\nRSET\r\nBDAT 5 LAST\r\n.\r\n.\r");
  story.say(id, Side::acceptor, "250 a\r\n250 b\r\n250 c\r\n550 d\r\n");
  story.say(id, Side::opener, "QUIT\r\nBDAT 9 LAST\r\nx");
  const Conversation c = read_conversations(story.recording).at(0);
  REQUIRE(c.commands.size() == 6);
  CHECK(c.commands[0].verb == "MAIL");
  CHECK(c.commands[3].line == "BDAT 5 LAST");
  CHECK(c.commands[4].verb == "QUIT");
  REQUIRE(c.messages.size() == 1);
  CHECK(c.messages[0].content == "RSET\r\n.\r\n.\r");
  CHECK(c.messages[0].recipients == std::vector<std::string>{"c@d"});
  REQUIRE(c.messages[0].reply);
  CHECK(c.replies[*c.messages[0].reply].code == 550);
  CHECK_FALSE(c.by_data(c.messages[0]));
}

TEST_CASE("content whose end never came is no message") {
  Story story;
  const ConnectionId id = story.dial("sut", "mx");
  story.say(id, Side::acceptor, "220 mx\r\n");
  story.say(id, Side::opener, "DATA\r\n");
  story.say(id, Side::acceptor, "354 go\r\n");
  story.say(id, Side::opener, "half\n.\nQUIT\r\n");
  story.add(record::Reset{id, Side::opener});
  const auto conversations = read_conversations(story.recording);
  CHECK(conversations.at(0).messages.empty());
  CHECK(conversations.at(0).commands.size() == 1);
  CHECK_FALSE(conversations.at(0).open);
}

TEST_CASE("within TLS a session is read from what its sides put into it; what was injected in the clear is nobody's") {
  Story story;
  const ConnectionId id = story.dial("sut", "mx");
  story.say(id, Side::acceptor, "220 mx\r\n");
  story.say(id, Side::opener, "EHLO a\r\n");
  story.say(id, Side::acceptor, "250-mx\r\n250 STARTTLS\r\n");
  story.say(id, Side::opener, "STARTTLS\r\nMAIL FROM:<evil@x>\r\n");
  story.say(id, Side::acceptor, "220 go\r\n250 injected\r\n");
  story.say(id, Side::opener, "\x16\x03\x01hello\n");
  story.say(id, Side::acceptor, "\x16\x03\x03hello\n");
  story.add(record::Tls{id, Side::opener, "sut", "established", "TLSv1.3", "", "", "ok", ""});
  story.whisper(id, Side::opener, "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nDATA\r\n");
  story.whisper(id, Side::acceptor, "250 a\r\n250 b\r\n354 c\r\n");
  story.whisper(id, Side::opener, "text\r\n.\r\n");
  story.whisper(id, Side::acceptor, "250 taken\r\n");
  const auto conversations = read_conversations(story.recording);
  const Conversation& c = conversations.at(0);
  REQUIRE(c.commands.size() == 5);
  CHECK(c.commands[1].verb == "STARTTLS");
  CHECK(c.protection(c.commands[1]) == "none");
  CHECK(c.commands[2].address == "a@b");
  CHECK(c.protection(c.commands[2]) == "verified");
  REQUIRE(c.messages.size() == 1);
  CHECK(c.messages[0].content == "text\r\n");
  CHECK(c.protection(c.messages[0]) == "verified");
  REQUIRE(c.messages[0].reply);
  CHECK(c.replies[*c.messages[0].reply].lines[0] == "250 taken");
  CHECK(c.replies[*c.messages[0].reply].arrived);
}

TEST_CASE("identity: what a submission server puts on top of a message makes no other of it, and what a relay does") {
  const std::string content = "Subject: a\r\n\r\nx\r\n";
  const std::string completed = Story::relayed("Date: d\r\nMessage-ID: <1@sut>\r\n" + content);
  for (const bool completes : {true, false}) {
    Identities identities(completes);
    const std::size_t own = identities.of(content);
    CHECK((identities.of(completed) == own) == completes);
    CHECK(identities.of("Date: d\r\nX: y\r\n" + content) != own);
  }
}

TEST_CASE("identity: below the trace, domains without case") {
  Identities identities(false);
  const std::string content = "Subject: a\r\n\r\nReceived: in the body\r\n";
  const std::string relayed = Story::relayed(content);
  const std::string twice = Story::relayed(relayed);
  const std::string other = "Subject: b\r\n\r\n";
  const std::string bare = "Subject: a\n\nReceived: in the body\n";
  CHECK(identities.of(content) == identities.of(relayed));
  CHECK(identities.of(content) == identities.of(twice));
  CHECK(identities.of(content) == identities.of(bare));
  CHECK(identities.of(content) != identities.of(other));
  CHECK(below_first_received(twice) == relayed);
  CHECK(mailbox_key("Bob@DEST.example") == "Bob@dest.example");
  CHECK(mailbox_matches("*@Dest.example", "bob@dEST.example"));
  CHECK_FALSE(mailbox_matches("BOB@dest.example", "bob@dest.example"));
}

}  // namespace postproof::sim::test
