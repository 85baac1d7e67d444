// Answers of another shape: malformed, in pieces, one too many, one too early, and what strikes within content.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/peer/reply_form.h"
#include "tests/sim/peer/lab.h"

namespace postproof::sim {
namespace {

constexpr std::string_view kToData = R"(
< 220
> EHLO c.example
< 250
> MAIL FROM:<a@src.example>
< 250
> RCPT TO:<b@dest.example>
< 250
> DATA
< 354
)";

TEST_CASE("forms of a reply") {
  const std::vector<std::string> lines = {"250-one", "250 two"};
  const auto form = [&](ReplyForm kind) { return formed_reply(kind, lines); };
  CHECK(form(ReplyForm::normal) == "250-one\r\n250 two\r\n");
  CHECK(form(ReplyForm::mixed_codes) == "250-one\r\n250-two\r\n251 two\r\n");
  CHECK(formed_reply(ReplyForm::mixed_codes, {"559 no"}) == "559-no\r\n550 no\r\n");
  CHECK(form(ReplyForm::unfinished) == "250-one\r\n250-two\r\n");
  CHECK(form(ReplyForm::lf) == "250-one\n250 two\n");
  CHECK(form(ReplyForm::cr) == "250-one\r250 two\r");
  CHECK(form(ReplyForm::blank) == "\r\n250-one\r\n250 two\r\n");
  CHECK(form(ReplyForm::junk).ends_with("\r\n250-one\r\n250 two\r\n"));
  CHECK_FALSE(form(ReplyForm::junk).starts_with("2"));
  CHECK(form(ReplyForm::two_digits) == "25-one\r\n25 two\r\n");
  CHECK(formed_reply(ReplyForm::long_line, {"250 x"}).size() == 5002);
  CHECK(form(ReplyForm::nul).find('\0') != std::string::npos);
  CHECK(std::ranges::any_of(form(ReplyForm::eight_bit), [](char c) { return static_cast<unsigned char>(c) > 0x7f; }));
  CHECK(std::ranges::count(form(ReplyForm::endless), '\n') == 902);
  CHECK(formed_reply(ReplyForm::lf, {}) == "");
}

TEST_CASE("an answer in pieces takes its time") {
  Lab lab;
  Rule slow = rule("connect", "220 abcdefgh");
  slow.split = 4;
  slow.every = 10s;
  lab.serve({slow});
  lab.talk("< 220 abcdefgh\n> QUIT\n< 221\n");
  lab.run();
  CHECK(lab.script_failures() == "");
  std::vector<Duration> sent;
  for (const Record& record : lab.recording.records) {
    const auto* octets = std::get_if<record::Octets>(&record.what);
    if (octets != nullptr && octets->from == Side::acceptor) sent.push_back(record.at);
  }
  REQUIRE(sent.size() == 5);
  CHECK(sent[3] - sent[0] == 30s);
}

TEST_CASE("a reply too many, and one too early") {
  Lab lab;
  Rule extra = rule("MAIL", "250 ok");
  extra.extra = {"250 and more"};
  Rule early = rule("DATA", "354 go");
  early.early = {"250 taken before it was sent"};
  lab.serve({extra, early});
  lab.talk(R"(
< 220
> EHLO c.example
< 250
> MAIL FROM:<a@src.example>
< 250 ok
< 250 and more
> RCPT TO:<b@dest.example>
< 250
> DATA
< 354 go
< 250 taken before
>> "x\r\n.\r\n"
! silence 5s
> NOOP
< 250
)");
  lab.run();
  CHECK(lab.script_failures() == "");
  const auto kept = lab.all<record::PeerMessage>();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].accepted);
}

TEST_CASE("what strikes within content: a cut, or a word in the middle of it") {
  Lab lab;
  Rule cut;
  cut.on = "content";
  cut.octets = 4;
  cut.act = Rule::Act::reset;
  cut.times = 1;
  Rule word = rule("content", "451 wait");
  word.octets = 2;
  lab.serve({cut, word});
  lab.talk(std::string(kToData) + ">> \"abcdefgh\\r\\n\"\n! eof within 1s\n");
  lab.run();
  CHECK(lab.script_failures() == "");
  CHECK(lab.all<record::PeerMessage>().empty());

  Lab second;
  second.serve({word});
  second.talk(std::string(kToData) + ">> \"abc\"\n< 451 wait\n>> \"d\\r\\n.\\r\\n\"\n< 250\n");
  second.run();
  CHECK(second.script_failures() == "");
  REQUIRE(second.all<record::PeerMessage>().size() == 1);
  CHECK(second.all<record::PeerMessage>()[0].content == "abcd\r\n");
}

TEST_CASE("a lenient server takes what a smuggler has hidden for a second message") {
  Lab lab;
  lab.settings.end_of_data = {FinalDot{LineMark::lf, LineMark::lf}};
  lab.serve();
  lab.talk(std::string(kToData) + R"(
>> "one\n.\nMAIL FROM:<evil@src.example>\r\nRCPT TO:<b@dest.example>\nDATA\ntwo\r\n.\r\n"
< 250
< 250
< 250
< 354
< 250
)");
  lab.run();
  CHECK(lab.script_failures() == "");
  const auto kept = lab.all<record::PeerMessage>();
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].content == "one\n");
  CHECK(kept[1].sender == "evil@src.example");
}

}  // namespace
}  // namespace postproof::sim
