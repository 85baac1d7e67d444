// CRC-32C against the published check value and against itself in pieces.
#include "mta/base/crc32c.h"

#include <doctest/doctest.h>

#include <string>

#include "mta/base/message_id.h"

using namespace postproof;

TEST_CASE("crc32c: the check value of RFC 3720 and continuation at every split") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xE3069283u);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAu);  // RFC 3720 appendix B.4
  const std::string text = "the quick brown fox jumps over the lazy dog, twice";
  for (std::size_t split = 0; split <= text.size(); ++split) {
    CHECK(crc32c(text.substr(split), crc32c(text.substr(0, split))) == crc32c(text));
  }
}

TEST_CASE("message id: 16 hexadecimal digits, both ways") {
  const MessageId id = MessageId::of(0x0102, 0x030405060708);
  CHECK(id.to_string() == "0102030405060708");
  CHECK(id.node() == 0x0102);
  CHECK(id.sequence() == 0x030405060708);
  CHECK(MessageId::parse("0102030405060708") == id);
  for (const char* bad : {"", "0102", "010203040506070g", "01020304050607080", "010203040506070A"}) {
    CHECK_FALSE(MessageId::parse(bad));
  }
}
