// Base64: RFC 4648's vectors, and that nothing else is taken for it.
#include "mta/base/base64.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using namespace postproof;

TEST_CASE("base64: the vectors of RFC 4648 section 10, both ways") {
  const std::vector<std::pair<std::string, std::string>> vectors = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [octets, text] : vectors) {
    CHECK(base64_encode(octets) == text);
    CHECK(base64_decode(text) == octets);
  }
}

TEST_CASE("base64: every octet comes back") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (std::size_t from = 0; from < 3; ++from) {
    const std::string octets = all.substr(from);
    CHECK(base64_decode(base64_encode(octets)) == octets);
  }
}

TEST_CASE("base64: what an encoder would not have written is refused") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zm9", "Zm9v=", "Zm9vYg=", "=", "==", "===", "====", "Z===", "Zg==Zg==", "Zh==",
                           "Zm9=", "Zm9v\n", "Zm 9", " Zm9", "Zm9*", "Zm-_", "Zg==="}) {
    CAPTURE(text);
    CHECK(!base64_decode(text).has_value());
  }
  CHECK(!base64_decode(std::string_view("Zm9\0", 4)).has_value());
}
