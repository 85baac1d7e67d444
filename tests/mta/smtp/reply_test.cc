// Replies: to the wire and to people, and back from lines that a hostile server may have written.
#include "mta/smtp/reply.h"

#include <doctest/doctest.h>

#include <vector>

#include "mta/base/limits.h"
#include "mta/smtp/capabilities.h"
#include "mta/smtp/reply_parser.h"

using namespace postproof;
using namespace postproof::smtp;

namespace {

// What a parser makes of some lines: replies as to_string has them, "error", "..." for one that goes on.
std::vector<std::string> parsed(const std::vector<std::string>& lines) {
  std::vector<std::string> told;
  ReplyParser parser;
  bool open = false;
  for (const std::string& line : lines) {
    const auto reply = parser.feed(line);
    if (!reply) {
      CHECK(reply.error().code == Errc::protocol);
      told.push_back("error");
      return told;
    }
    open = !*reply;
    if (!open) told.push_back((*reply)->to_string());
  }
  if (open) told.push_back("...");
  return told;
}

}  // namespace

TEST_CASE("replies on the wire and for people") {
  CHECK(Reply::of(250, "2.1.0", "ok").to_wire() == "250 2.1.0 ok\r\n");
  CHECK(Reply::of(354, "", "go").to_wire() == "354 go\r\n");
  CHECK(Reply::of(550, "5.7.2", "").to_wire() == "550 5.7.2\r\n");
  CHECK(Reply::of(550, "5.7.2", "").to_string() == "550 5.7.2");
  CHECK(Reply::of(250, "", "").to_string() == "250");

  Reply several = Reply::of(550, "5.1.1", "no such user");
  several.lines.push_back("try again");
  // RFC 2034 section 4: on each line.
  CHECK(several.to_wire() == "550-5.1.1 no such user\r\n550 5.1.1 try again\r\n");
  CHECK(several.to_string() == "550 5.1.1 no such user | try again");

  // Y06, D23: nothing in a text starts a line. What shows it to people escapes it.
  const Reply hostile = Reply::of(550, "5.1.1", "a\r\n250 ok\x1b[2J\xff");
  CHECK(hostile.to_wire() == "550 5.1.1 a  250 ok [2J?\r\n");
  CHECK(hostile.to_string() == "550 5.1.1 a\r\n250 ok\x1b[2J\xff");
}

TEST_CASE("replies from lines") {
  struct Case {
    std::vector<std::string> lines, want;
  };
  const std::vector<Case> cases = {
      {{"250 ok"}, {"250 ok"}},
      {{"250"}, {"250"}},
      {{"250 "}, {"250"}},
      {{"299 x"}, {"299 x"}},  // D01
      {{"499 x"}, {"499 x"}},
      {{"599 x"}, {"599 x"}},
      {{"250-a", "250-b", "250 c"}, {"250 a | b | c"}},  // D02
      {{"250-a", "250"}, {"250 a | "}},                  // D03
      {{"250-a", "250-", "250 c"}, {"250 a |  | c"}},
      {{"250 one", "550 two"}, {"250 one", "550 two"}},
      {{"250-a"}, {"..."}},
      {{"250-a", "251 b"}, {"error"}},  // D04
      {{"250-a", "250b"}, {"error"}},
      {{"250-a", "hello"}, {"error"}},
      {{"250-a", ""}, {"error"}},
      {{""}, {"error"}},
      {{"25"}, {"error"}},
      {{"2500 x"}, {"error"}},
      {{"250\tx"}, {"error"}},
      {{"250=x"}, {"error"}},
      {{" 250 x"}, {"error"}},
      {{"199 x"}, {"error"}},
      {{"600 x"}, {"error"}},
      {{"000 x"}, {"error"}},
      {{"-25 x"}, {"error"}},
      {{"2x0 x"}, {"error"}},
      {{"HTTP/1.1 400 Bad Request"}, {"error"}},
      {{std::string("\0\0\0\0", 4)}, {"error"}},
      {{std::string("250 a\0b", 7)}, {std::string("250 a\0b", 7)}},  // D23
      {{"250 a\rb"}, {"250 a\rb"}},
      {{"550 5.1.1 x"}, {"550 5.1.1 x"}},
      {{"550 5.7.2"}, {"550 5.7.2"}},  // a bare code with no text
      {{"550-5.1.1 a", "550 5.1.1 b"}, {"550 5.1.1 a | b"}},
      {{"550-5.1.1 a", "550 5.2.2 b"}, {"550 5.1.1 a | 5.2.2 b"}},
      {{"550 2.0.0 x"}, {"550 2.0.0 x"}},  // D22, see below
      {{"354 2.0.0 go"}, {"354 2.0.0 go"}},
      {{"250 2.1.0.1 x"}, {"250 2.1.0.1 x"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.lines.front());
    CHECK(parsed(c.lines) == c.want);
  }
}

TEST_CASE("an enhanced code of another class than the reply's is text: the code wins") {
  ReplyParser parser;
  const auto mismatch = parser.feed("550 2.0.0 x");
  CHECK_FALSE((*mismatch)->status);
  CHECK((*mismatch)->lines == std::vector<std::string>{"2.0.0 x"});
  const auto match = parser.feed("550 5.0.0 x");
  CHECK((*match)->status == EnhancedStatus{5, 0, 0});
  CHECK((*match)->lines == std::vector<std::string>{"x"});
}

TEST_CASE("bounds: lines beyond the limit are read and dropped, octets beyond it are an error") {
  ReplyParser parser;
  for (std::size_t i = 0; i < limits::kReplyLines + 50; ++i) REQUIRE(!parser.feed("250-x")->has_value());
  const auto reply = parser.feed("250 end");
  REQUIRE(reply->has_value());
  CHECK((*reply)->lines.size() == limits::kReplyLines);
  CHECK(parser.octets() == 0);

  // At the limit and one past it; what was cut from a line counts.
  ReplyParser at_limit;
  CHECK(at_limit.feed("250-x", limits::kReplyOctets - 5));
  CHECK(at_limit.feed("250 x"));
  ReplyParser over;
  CHECK(over.feed("250-x", limits::kReplyOctets - 4));
  const auto refused = over.feed("250 x");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::protocol);
}

TEST_CASE("capabilities") {
  const auto of = [](std::vector<std::string> lines) {
    return Capabilities::of(Reply{250, std::nullopt, std::move(lines)});
  };
  const Capabilities plain = of({"mx.example greets you"});
  Capabilities none;
  none.extended = true;
  CHECK(plain == none);
  // The first line is a greeting, whatever it says.
  CHECK(of({"PIPELINING"}) == none);

  const Capabilities all = of({"mx", "pipeLining", "SIZE 1000", "8bitMIME", "EnhancedStatusCodes", "DSN", "X-FOO bar"});
  CHECK(all.pipelining);
  CHECK(all.eight_bit_mime);
  CHECK(all.enhanced_status_codes);
  CHECK(all.size);
  CHECK(all.size_max == 1000);

  struct Case {
    std::string line;
    bool size;
    std::optional<std::uint64_t> size_max;
  };
  for (const Case& c : std::vector<Case>{{"SIZE", true, {}},
                                         {"SIZE 0", true, {}},
                                         {"SIZE  20 ", true, 20},
                                         {"SIZE 18446744073709551615", true, UINT64_MAX},
                                         {"SIZE 99999999999999999999", true, {}},
                                         {"SIZE junk", true, {}},
                                         {"SIZE=100", false, {}},
                                         {"SIZES 100", false, {}},
                                         {"XSIZE 100", false, {}},
                                         {"PIPELININGX", false, {}},
                                         {"XXXXXXXA", false, {}},
                                         {"", false, {}},
                                         {" ", false, {}}}) {
    CAPTURE(c.line);
    const Capabilities offered = of({"mx", c.line});
    CHECK(offered.size == c.size);
    CHECK(offered.size_max == c.size_max);
    CHECK_FALSE(offered.pipelining);
  }
}

TEST_CASE("capabilities: what is told is read back") {
  Capabilities all;
  all.extended = all.pipelining = all.eight_bit_mime = all.enhanced_status_codes = all.start_tls = true;
  all.size = all.chunking = all.dsn = all.utf8 = all.etrn = all.mt_priority = true;
  all.size_max = 1000;
  all.auth = {"SCRAM-SHA-256", "PLAIN"};
  all.mail_max = 20;
  all.rcpt_max = 100;
  all.deliver_by = 60s;
  all.future_release = FutureRelease{24h, WallTime{std::chrono::seconds{1'767'225'600}}};
  all.xclient = {"ADDR", "NAME"};
  const auto told = [](const Capabilities& c) {
    std::vector<std::string> lines = c.lines();
    lines.insert(lines.begin(), "mx");
    return Capabilities::of(Reply{250, std::nullopt, std::move(lines)});
  };
  CHECK(told(all) == all);
  Capabilities none;
  none.extended = true;
  CHECK(told(none) == none);
}
