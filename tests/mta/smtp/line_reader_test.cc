// Lines from a stream: their ends, their limits, and what is left over.
#include "mta/smtp/line_reader.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/mta/smtp/test_world.h"

using namespace postproof;
using namespace postproof::smtp;

namespace {

Task<void> read_lines(LineReader& reader, std::vector<std::string>& lines) {
  for (;;) {
    while (const auto line = reader.try_line()) {
      lines.push_back((line->overlong ? "over " + std::to_string(line->size) + " " : "") + std::string(line->text));
    }
    const auto more = co_await reader.fill(kNever);
    if (!more || !*more) co_return;
  }
}

std::vector<std::string> lines_of(std::string_view octets, LineReader::LineEnd line_end, bool by_octet,
                                  std::size_t& left_over) {
  test::TestWorld world;
  auto [stream, wire] = world.open();
  LineReader reader(*stream, line_end, 10, 16);
  std::vector<std::string> lines;
  TaskGroup group(world.env().executor);
  group.spawn(read_lines(reader, lines));
  if (by_octet) {
    wire.send_by_octet(octets);
  } else {
    wire.send(octets);
  }
  wire.fin();
  left_over = reader.pending();
  CHECK(reader.empty() == (left_over == 0));
  return lines;
}

}  // namespace

TEST_CASE("lines") {
  struct Case {
    std::string octets;
    LineReader::LineEnd line_end;
    std::vector<std::string> lines;
    std::size_t left_over;
  };
  constexpr auto crlf = LineReader::LineEnd::crlf;
  constexpr auto lf = LineReader::LineEnd::lf;
  const std::vector<Case> cases = {
      {"", crlf, {}, 0},
      {"a\r\nb\r\n", crlf, {"a", "b"}, 0},
      {"\r\n\r\n", crlf, {"", ""}, 0},
      {"a\r\nb", crlf, {"a"}, 1},
      {"a\nb\rc\r\n", crlf, {"a\nb\rc"}, 0},  // A33
      {"\n\r\n", crlf, {"\n"}, 0},
      {"a\r\r\n", crlf, {"a\r"}, 0},
      {"12345678\r\n", crlf, {"12345678"}, 0},                     // 10 octets with their end
      {"123456789\r\nx\r\n", crlf, {"over 11 12345678", "x"}, 0},  // 11
      {"1234567890\r\nx\r\n", crlf, {"over 12 12345678", "x"}, 0},
      {std::string(50, 'y') + "\r\nx\r\n", crlf, {"over 52 yyyyyyyy", "x"}, 0},
      {std::string(50, '\n') + "\r\n" + std::string(40, '\r') + "\r\nz\r\n",
       crlf,
       {"over 52 \n\n\n\n\n\n\n\n", "over 42 \r\r\r\r\r\r\r\r", "z"},
       0},
      {std::string(50, 'y'), crlf, {}, 50},
      {"a\nb\r\n\nc", lf, {"a", "b", ""}, 1},
      {"a\rb\r\n", lf, {"a\rb"}, 0},
      {std::string(50, 'y') + "\nx\n", lf, {"over 51 yyyyyyyy", "x"}, 0},
  };
  for (const Case& c : cases) {
    for (const bool by_octet : {false, true}) {
      CAPTURE(c.octets);
      CAPTURE(by_octet);
      std::size_t left_over = 0;
      CHECK(lines_of(c.octets, c.line_end, by_octet, left_over) == c.lines);
      CHECK(left_over == c.left_over);
    }
  }
}
