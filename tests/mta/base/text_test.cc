// Text tools: escaping, globs, nearest words, decimals.
#include "mta/base/text.h"

#include <doctest/doctest.h>

using namespace postproof;

TEST_CASE("octets of ASCII: digits, letters, and those that are none") {
  std::string digits, alnum;
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    if (is_digit(c)) digits += c;
    if (is_alnum(c)) alnum += c;
    CHECK(is_ascii(std::string("a") + c) == (octet < 128));
  }
  CHECK(digits == "0123456789");
  CHECK(alnum == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
  CHECK(is_ascii(""));
}

TEST_CASE("escape: one printable line, and back") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const std::string text = escape(all);
  for (const char c : text) CHECK((c >= 0x20 && c < 0x7f));
  CHECK(unescape(text) == all);
  CHECK(escape("a\r\n\t\\b") == "a\\r\\n\\t\\\\b");
  for (const char* bad : {"\\", "\\q", "\\x", "\\x1", "\\xg0", "abc\\"}) CHECK_FALSE(unescape(bad));
  CHECK(unescape("\\x41\\\"") == "A\"");
}

TEST_CASE("glob") {
  struct Case {
    const char *pattern, *text;
    bool matches;
  };
  for (const Case& c : {Case{"*", "", true}, Case{"", "", true}, Case{"", "a", false}, Case{"a*c", "abbbc", true},
                        Case{"a*c", "abbbd", false}, Case{"*@dest.example", "x@dest.example", true}, Case{"?", "", false},
                        Case{"?b", "ab", true}, Case{"*a*b*", "xxaxxbxx", true}, Case{"*a*b", "bbbba", false},
                        Case{"**", "abc", true}}) {
    CAPTURE(c.pattern);
    CAPTURE(c.text);
    CHECK(glob_match(c.pattern, c.text) == c.matches);
  }
  CHECK(glob_match("ABC*", "abcd", true));
  CHECK_FALSE(glob_match("ABC*", "abcd", false));
  // Backtracking stays bounded.
  CHECK_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST_CASE("nearest word") {
  CHECK(nearest_word("titel", {"title", "limit", "seed"}) == "title");
  CHECK(nearest_word("latncy", {"latency", "segment"}) == "latency");
  CHECK(nearest_word("zzzzzz", {"title", "limit"}).empty());
}

TEST_CASE("decimal") {
  CHECK(parse_decimal("0") == 0);
  CHECK(parse_decimal("18446744073709551615") == UINT64_MAX);
  for (const char* bad : {"", "18446744073709551616", "-1", "+1", "1 ", "0x1", "1.0"}) CHECK_FALSE(parse_decimal(bad));
}

TEST_CASE("split, trim, case") {
  CHECK(split("a,b,,c", ',').size() == 4);
  CHECK(split("", ',').size() == 1);
  CHECK(trim(" \ta b\t ") == "a b");
  CHECK(trim("   ").empty());
  CHECK(equal_ignoring_case("MaIl", "mAiL"));
  CHECK_FALSE(equal_ignoring_case("mail", "mails"));
  CHECK(starts_with_ignoring_case("FROM:<>", "from:"));
  CHECK(hex(std::string_view("\x00\xff", 2)) == "00ff");
}
