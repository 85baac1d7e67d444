#include "sim/peer/script.h"

#include <doctest/doctest.h>

namespace postproof::sim {
namespace {

using Kind = ScriptStep::Kind;

TEST_CASE("every step is read") {
  const auto steps = parse_script(
      "# a comment\n"
      "< 220\n"
      "> EHLO a \n"
      ">\n"
      ">no blank\n"
      "\n"
      "  <\n"
      "<  a \n"
      "<= b \n"
      ">> \"a\\r\\n\\t\\0\\\\\\\"\\x1bz\xff\"  \n"
      "! wait 1m30s\r\n"
      "!half-close\n"
      "! silence 10s\n"
      "! drip 4B/s\n"
      "! drain\n"
      "! tls\n"
      "! eof within 5m\n",
      40);
  REQUIRE(steps);
  struct Case {
    Kind kind;
    std::string_view text;
    Duration duration;
    std::uint32_t line;
  };
  const Case cases[] = {
      {Kind::expect, "220", 0s, 41}, {Kind::send, "EHLO a \r\n", 0s, 42},
      {Kind::send, "\r\n", 0s, 43},  {Kind::send, "no blank\r\n", 0s, 44},
      {Kind::expect, "", 0s, 46},    {Kind::expect, " a ", 0s, 47},
      {Kind::expect_line, "b ", 0s, 48}, {Kind::send, std::string_view("a\r\n\t\0\\\"\x1bz\xff", 10), 0s, 49},
      {Kind::wait, "", 90s, 50},     {Kind::half_close, "", 0s, 51},
      {Kind::silence, "", 10s, 52},  {Kind::drip, "", 250ms, 53},
      {Kind::drain, "", 0s, 54},     {Kind::tls, "", 0s, 55},
      {Kind::eof_within, "", 5min, 56},
  };
  REQUIRE(steps->size() == std::size(cases));
  for (std::size_t i = 0; i < steps->size(); ++i) {
    CAPTURE(i);
    CHECK((*steps)[i].kind == cases[i].kind);
    CHECK((*steps)[i].text == cases[i].text);
    CHECK((*steps)[i].duration == cases[i].duration);
    CHECK((*steps)[i].line == cases[i].line);
  }
}

TEST_CASE("an empty script has no steps") {
  CHECK(parse_script("", 1)->empty());
  CHECK(parse_script("\n# nothing\n", 1)->empty());
}

TEST_CASE("what is wrong is told by line and column") {
  struct Case {
    std::string_view script;
    std::uint32_t line, column;
    std::string_view what;
  };
  const Case cases[] = {
      {"EHLO a", 7, 1, "expected a step"},
      {"> ok\n  hello", 8, 3, "expected a step"},
      {">> hello", 7, 4, "expected octets in quotes"},
      {">>", 7, 3, "expected octets in quotes"},
      {">> \"hello", 7, 10, "the closing quote is missing"},
      {">> \"hello\\\"", 7, 12, "the closing quote is missing"},
      {">> \"a\" b", 7, 7, "nothing may stand behind the closing quote"},
      {">> \"a\\q\"", 7, 6, "expected \\r \\n"},
      {">> \"a\\x1\"", 7, 6, "expected \\r \\n"},
      {">> \"a\\xzz\"", 7, 6, "expected \\r \\n"},
      {">> \"a\\", 7, 6, "expected \\r \\n"},
      {"! wiat 5s", 7, 3, "no action is called \"wiat\", did you mean \"wait\"?"},
      {"!", 7, 2, "no action is called \"\""},
      {"! wait", 7, 7, "expected a duration, as in \"wait 5s\""},
      {"! wait soon", 7, 8, "expected a duration, as in \"wait 5s\", got \"soon\""},
      {"! eof 5m", 7, 7, "expected \"within\" and a duration"},
      {"! eof within", 7, 7, "expected \"within\" and a duration"},
      {"! drip 0B/s", 7, 8, "expected a rate"},
      {"! drip 5", 7, 8, "expected a rate"},
      {"! auth PLAIN alice", 7, 8, "expected a mechanism, a login and a password"},
      {"! auth CRAM-MD5 alice secret", 7, 8, "mechanisms are PLAIN, LOGIN"},
      {"! auth PLAIN alice secret once", 7, 27, "no slip is called \"once\""},
      {"! close now", 7, 9, "nothing may stand behind \"close\""},
      {"! close\n# fine\n> more", 9, 1, "nothing can follow"},
      {"! eof within 1s\n < 250", 8, 2, "nothing can follow"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.script);
    const auto steps = parse_script(c.script, 7);
    REQUIRE_FALSE(steps);
    CHECK(steps.error().line == c.line);
    CHECK(steps.error().column == c.column);
    CHECK_MESSAGE(steps.error().what.find(c.what) != std::string::npos, steps.error().what);
  }
}

}  // namespace
}  // namespace postproof::sim
