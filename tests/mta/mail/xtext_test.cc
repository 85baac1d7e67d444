// xtext: RFC 3461 section 4.
#include "mta/mail/xtext.h"

#include <doctest/doctest.h>

using namespace postproof;

TEST_CASE("xtext: every octet there and back") {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  const std::string text = encode_xtext(all);
  CHECK(decode_xtext(text) == all);
  CHECK(text.find_first_of(" =\r\n") == std::string::npos);
  CHECK(encode_xtext("a+b=c d") == "a+2Bb+3Dc+20d");
}

TEST_CASE("xtext: what is none") {
  CHECK(decode_xtext("") == "");
  CHECK(decode_xtext("+41b") == "Ab");
  for (const char* text : {"+", "+4", "a+", "+4g", "+4a", "+g1", "a=b", "a b", "\x80", "a\rb", "+-1"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_xtext(text));
  }
}
