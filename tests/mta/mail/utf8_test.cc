// UTF-8 as RFC 3629 has it, and as it is written in US-ASCII.
#include "mta/mail/utf8.h"

#include <doctest/doctest.h>

#include <string>

using namespace postproof;

TEST_CASE("what is UTF-8, and what only looks like it") {
  for (const char* good : {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(std::string(good));
    CHECK(is_valid_utf8(good));
  }
  for (const char* bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80",
                          "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff",
                          "a\xc3\xa9\x80"}) {
    CAPTURE(std::string(bad));
    CHECK_FALSE(is_valid_utf8(bad));
  }
}

TEST_CASE("addresses in utf-8-addr-xtext") {
  CHECK(encode_utf8_address("bob@d.example") == "bob@d.example");
  CHECK(encode_utf8_address("b\xc3\xb6" "b+x=\\@d") == "b\\x{F6}b\\x{2B}x\\x{3D}\\x{5C}@d");
  CHECK(encode_utf8_address("\"a b\"@\xf0\x9f\x92\x8c") == "\"a\\x{20}b\"@\\x{1F48C}");
  CHECK(encode_utf8_octets("b\xc3\xb6" "b\\x{2B}x") == "b\\x{F6}b\\x{2B}x");
}
