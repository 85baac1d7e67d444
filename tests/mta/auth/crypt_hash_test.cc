// crypt(3) hashes.
#include "mta/auth/crypt_hash.h"

#include <doctest/doctest.h>

using namespace postproof::auth;

TEST_CASE("crypt: a hash that is made fits its password, and no other") {
  const std::string random(16, 'r');
  const auto hash = make_yescrypt_hash("correct horse", random);
  REQUIRE(hash.has_value());
  CHECK(hash->starts_with("$y$"));
  CHECK(is_crypt_hash(*hash));
  CHECK(crypt_matches(*hash, "correct horse"));
  CHECK(!crypt_matches(*hash, "correct horse "));
  CHECK(!crypt_matches(*hash, ""));
  CHECK(make_yescrypt_hash("correct horse", std::string(16, 's')) != hash);
  CHECK(!make_yescrypt_hash(std::string(1000, 'x'), random).has_value());
}

TEST_CASE("crypt: hashes of other programs") {
  // Of `openssl passwd -5 -salt salt pencil`.
  CHECK(crypt_matches("$5$salt$hkijgYUEMjSMXhxmgrD.XT2e7x4QFQTXgT62LjT23S1", "pencil"));
  CHECK(!crypt_matches("$5$salt$hkijgYUEMjSMXhxmgrD.XT2e7x4QFQTXgT62LjT23S1", "pencils"));
  for (const char* text : {"", "x", "!", "*", "$", "$nothing$", "{SHA}abc", "abXYlocked", "plain text"}) {
    CAPTURE(text);
    CHECK(!is_crypt_hash(text));
  }
}
