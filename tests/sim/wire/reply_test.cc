#include "sim/wire/reply.h"

#include <doctest/doctest.h>

#include "tests/sim/wire/pipe.h"

namespace postproof::sim {
namespace {

TEST_CASE("reply lines") {
  struct Case {
    std::string_view line;
    int code;  // 0: none
    bool more = false;
  };
  const Case cases[] = {
      {"250 ok", 250}, {"250-ok", 250, true}, {"250", 250}, {"250 ", 250},
      {"354 go", 354}, {"599-", 599, true},   {"", 0},      {"25", 0},
      {"250ok", 0},    {"150 x", 0},          {"650 x", 0}, {"2x0 x", 0},
      {" 250 x", 0},   {"hello", 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const auto parsed = parse_reply_line(c.line);
    CHECK((parsed ? parsed->code : 0) == c.code);
    CHECK((parsed && parsed->more) == c.more);
  }
}

TEST_CASE("replies are read whole") {
  struct Case {
    std::vector<std::string> pieces;
    std::string text;  // or "!" and the error
  };
  const Case cases[] = {
      {{"250 ok\r\n"}, "250 ok"},
      {{"250-a\r\n25", "0-b\r\n", "250 c\r\n250 next\r\n"}, "250-a\r\n250-b\r\n250 c"},
      {{"250\r\n"}, "250"},
      {{"250-a\r\n251 b\r\n"}, "!protocol error"},
      {{"250-a\r\nhello\r\n"}, "!protocol error"},
      {{"250-a\r\n"}, "!connection closed by peer"},
      {{}, "!connection closed by peer"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    std::string text;
    const auto reader = [&](Env& env, LineBuffer& buffer) -> Task<void> {
      const Result<WireReply> reply = co_await read_reply(buffer, env.clock.mono() + 1min);
      text = reply ? reply->text() : "!" + std::string(to_string(reply.error().code));
    };
    Pipe::run(c.pieces, reader);
    CHECK(text == c.text);
  }
}

TEST_CASE("a reply has one deadline for all its lines, and a limit of them") {
  std::string text;
  const auto reader = [&](Env& env, LineBuffer& buffer) -> Task<void> {
    const Result<WireReply> reply = co_await read_reply(buffer, env.clock.mono() + 1500ms);
    text = reply ? reply->text() : "!" + std::string(to_string(reply.error().code));
  };
  Pipe::run({"250-a\r\n", "250-b\r\n", "250 c\r\n"}, reader);
  CHECK(text == "!timed out");
  std::string many;
  for (std::size_t i = 0; i <= kWireReplyLinesMax; ++i) many += "250-x\r\n";
  Pipe::run({many}, reader);
  CHECK(text == "!protocol error");
}

}  // namespace
}  // namespace postproof::sim
