#include "sim/wire/dot.h"

#include <doctest/doctest.h>

namespace postproof::sim {
namespace {

struct Decoded {
  std::string content;
  std::size_t taken = 0;
  bool done = false;
  bool operator==(const Decoded&) const = default;
};

// In pieces of `step` octets.
Decoded decode(std::string_view wire, std::size_t step) {
  Decoded decoded;
  DotDecoder decoder;
  while (!wire.empty() && !decoder.done()) {
    const std::string_view piece = wire.substr(0, step);
    const std::size_t taken = decoder.feed(piece, decoded.content);
    decoded.taken += taken;
    if (taken < piece.size()) break;
    wire.remove_prefix(taken);
  }
  decoded.done = decoder.done();
  return decoded;
}

TEST_CASE("only CRLF.CRLF ends content, however it is cut into pieces") {
  struct Case {
    std::string_view wire, content;
    bool done = true;
    std::string_view rest = "";
  };
  const Case cases[] = {
      {".\r\n", ""},
      {"a\r\n.\r\n", "a\r\n"},
      {"a\r\n.\r\nQUIT\r\n", "a\r\n", true, "QUIT\r\n"},
      {"..\r\n.\r\n", ".\r\n"},
      {".a\r\n...b\r\n.\r\n", "a\r\n..b\r\n"},
      // The smuggling sequences (CVE-2023-51764 and its kin) are content.
      {"a\n.\nMAIL\r\n.\r\n", "a\n.\nMAIL\r\n"},
      {"a\n.\r\nMAIL\r\n.\r\n", "a\n.\r\nMAIL\r\n"},
      {"a\r\n.\nMAIL\r\n.\r\n", "a\r\n\nMAIL\r\n"},
      {"a\r.\r\n.\r\n", "a\r.\r\n"},
      {"a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n"},
      {"a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n"},
      {"a\r\r\n.\r\n", "a\r\r\n"},
      {std::string_view("a\0b\r\n.\r\n", 9 - 1), std::string_view("a\0b\r\n", 5)},
      {"a\r\n.\r", "a\r\n", false},
      {"a", "a", false},
      {"", "", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.wire);
    for (std::size_t step = 1; step <= c.wire.size() + 1; ++step) {
      const Decoded decoded = decode(c.wire, step);
      CHECK(decoded.content == c.content);
      CHECK(decoded.done == c.done);
      CHECK(decoded.taken == c.wire.size() - c.rest.size());
    }
  }
}

TEST_CASE("content is dot-stuffed and ended") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ".\r\n"},
      {"a\r\n", "a\r\n.\r\n"},
      {"a", "a\r\n.\r\n"},
      {".\r\n", "..\r\n.\r\n"},
      {"a\r\n.b\r\n..c\r\n", "a\r\n..b\r\n...c\r\n.\r\n"},
      {"\r\n.\r\n.\r\n", "\r\n..\r\n..\r\n.\r\n"},
      {"a\n.b\r\n", "a\n.b\r\n.\r\n"},
  };
  for (const auto& [content, wire] : cases) {
    CAPTURE(content);
    CHECK(dot_encode(content) == wire);
    std::string back;
    DotDecoder decoder;
    CHECK(decoder.feed(wire, back) == wire.size());
    CHECK(decoder.done());
    CHECK(back ==
          (content.empty() || content.ends_with("\r\n") ? std::string(content) : std::string(content) + "\r\n"));
  }
}

TEST_CASE("line ends of text become CRLF") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},       {"a", "a"}, {"a\nb\n", "a\r\nb\r\n"}, {"a\r\nb\n\n", "a\r\nb\r\n\r\n"}, {"a\rb\n", "a\rb\r\n"},
      {"\n", "\r\n"},
  };
  for (const auto& [text, wire] : cases) CHECK(with_crlf(text) == wire);
}

TEST_CASE("a lenient server ends content where it was told to, and at CRLF.CRLF") {
  using enum LineMark;
  struct Case {
    FinalDot also;
    std::string_view wire, content;
    bool done = true;
  };
  const Case cases[] = {
      {{lf, lf}, "a\n.\nb\r\n.\r\n", "a\n"},
      {{lf, lf}, "a\r\n.\r\n", "a\r\n"},
      {{lf, lf}, "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n"},
      {{lf, crlf}, "a\n.\r\nb", "a\n"},
      {{crlf, lf}, "a\r\n.\nb", "a\r\n"},
      {{crlf, cr}, "a\r\n.\rb", "a\r\n"},
      {{cr, cr}, "a\r.\rb", "a\r"},
      {{cr, crlf}, "a\r.\r\nb", "a\r"},
      {{cr, crlf}, "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n"},
      {{lf, lf}, "..a\r\n..\r\n\n..\n.\n", ".a\r\n.\r\n\n..\n"},
      {{lf, lf}, "a\n.", "a\n", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.wire);
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, c.wire.size()}) {
      LenientDotDecoder decoder({c.also});
      std::string content;
      std::string_view rest = c.wire;
      while (!rest.empty() && !decoder.done()) {
        const std::size_t taken = decoder.feed(rest.substr(0, step), content);
        rest.remove_prefix(taken);
      }
      CHECK(content == c.content);
      CHECK(decoder.done() == c.done);
    }
  }
}

}  // namespace
}  // namespace postproof::sim
