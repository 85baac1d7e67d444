// SASLprep (RFC 4013).
#include "mta/auth/prepare.h"

#include <doctest/doctest.h>

using postproof::auth::prepare;

TEST_CASE("prepare: the examples of RFC 4013 section 3") {
  CHECK(prepare("I\xc2\xadX") == "IX");    // SOFT HYPHEN mapped to nothing
  CHECK(prepare("user") == "user");
  CHECK(prepare("USER") == "USER");
  CHECK(prepare("\xc2\xaa") == "a");       // NFKC
  CHECK(prepare("\xe2\x85\xa8") == "IX");  // NFKC
  CHECK(!prepare("\x07").has_value());     // prohibited
  CHECK(!prepare("\xd8\xa7" "1").has_value());  // bidirectional check
}

TEST_CASE("prepare: what is not UTF-8, empty, or holds NUL is nothing") {
  CHECK(!prepare("").has_value());
  CHECK(!prepare("\xc2\xad").has_value());  // nothing is left
  CHECK(!prepare("caf\xe9").has_value());
  CHECK(!prepare("\xff").has_value());
  CHECK(!prepare("cut \xc3").has_value());
  CHECK(!prepare("\xed\xa0\x80").has_value());  // a surrogate
  CHECK(!prepare("\xc0\xaf").has_value());      // overlong
  CHECK(!prepare(std::string_view("a\0b", 3)).has_value());
  CHECK(!prepare("a\r\nb").has_value());
  CHECK(prepare("p\xc3\xa4sswort") == "p\xc3\xa4sswort");
  CHECK(prepare("pa\xcc\x88sswort") == "p\xc3\xa4sswort");  // NFKC: one way to write it
}
