#include "sim/wire/line_buffer.h"

#include <doctest/doctest.h>

#include "tests/sim/wire/pipe.h"

namespace postproof::sim {
namespace {

// Each line, and the error at the end as "!" and its text.
std::vector<std::string> read_lines(std::vector<std::string> pieces, LineEnd end, Duration patience = 1min) {
  std::vector<std::string> lines;
  const auto reader = [&](Env& env, LineBuffer& buffer) -> Task<void> {
    for (;;) {
      Result<std::string> line = co_await buffer.line(end, env.clock.mono() + patience);
      lines.push_back(line ? *line : "!" + std::string(to_string(line.error().code)));
      if (!line) co_return;
    }
  };
  Pipe::run(std::move(pieces), reader);
  return lines;
}

using Lines = std::vector<std::string>;

TEST_CASE("lines end at CRLF, or at LF for an observer") {
  const Lines pieces = {"a\r", "\nb\nc\r\n", "\r\nd\re\r\nhalf"};
  CHECK(read_lines(pieces, LineEnd::crlf) == Lines{"a", "b\nc", "", "d\re", "!connection closed by peer"});
  CHECK(read_lines(pieces, LineEnd::lf) == Lines{"a", "b", "c", "", "d\re", "!connection closed by peer"});
}

TEST_CASE("a line has a deadline, and what has come of it is not lost") {
  CHECK(read_lines({"a\r\nb", "c\r\n"}, LineEnd::crlf, 500ms) == Lines{"a", "!timed out"});
  Lines lines;
  const auto reader = [&](Env& env, LineBuffer& buffer) -> Task<void> {
    const Result<std::string> early = co_await buffer.line(LineEnd::crlf, env.clock.mono() + 500ms);
    CHECK_FALSE(early);
    Result<std::string> whole = co_await buffer.line(LineEnd::crlf, kNever);
    if (whole) lines.push_back(*whole);
  };
  Pipe::run({"b", "c\r\n"}, reader);
  CHECK(lines == Lines{"bc"});
}

TEST_CASE("a line without an end is not read for ever") {
  CHECK(read_lines({std::string(kWireLineMax + 1, 'x'), "\r\n"}, LineEnd::crlf) == Lines{"!too large"});
  CHECK(read_lines({std::string(kWireLineMax / 2, 'x') + "\r\n"}, LineEnd::crlf).size() == 2);
}

TEST_CASE("an observer sees every octet once, as it comes") {
  std::string seen;
  const auto reader = [&](Env&, LineBuffer& buffer) -> Task<void> {
    buffer.observe([&](std::string_view octets) { seen += octets; });
    for (;;) {
      const Result<std::string> line = co_await buffer.line(LineEnd::lf, kNever);
      if (!line) co_return;
    }
  };
  Pipe::run({"a\r", "\nb\r\nc", "\r\nd"}, reader);
  CHECK(seen == "a\r\nb\r\nc\r\nd");
}

}  // namespace
}  // namespace postproof::sim
