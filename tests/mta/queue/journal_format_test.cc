// Segments and records as octets: there and back, and every octet guarded.
#include "mta/queue/journal_format.h"

#include <doctest/doctest.h>

#include "tests/mta/queue/spool_world.h"

using namespace postproof;
using namespace postproof::queue::journal;

namespace {

SegmentHeader some_segment() { return SegmentHeader{7, 0x1122334455667788, 0x99aabbccddeeff00, 1 << 20}; }

Entry some_entry(std::uint32_t offset) {
  Entry entry;
  entry.type = 3;
  entry.flags = kLast;
  entry.id = MessageId{5};
  entry.about = MessageId{6};
  entry.offset = offset;
  entry.meta_size = 10;
  entry.content_size = 20;
  return entry;
}

}  // namespace

TEST_CASE("segment header: there and back; one flipped bit is seen") {
  const std::string octets = encode(some_segment());
  REQUIRE(octets.size() == kSegmentHeaderSize);
  CHECK(decode_segment_header(octets) == some_segment());
  for (std::size_t i = 0; i < octets.size(); ++i) {
    std::string bad = octets;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    CAPTURE(i);
    CHECK_FALSE(decode_segment_header(bad));
  }
  CHECK_FALSE(decode_segment_header(octets.substr(1)));
  CHECK_FALSE(decode_segment_header(""));
}

TEST_CASE("segment header: another version is told by both numbers") {
  const auto decoded = decode_segment_header(queue::test::of_version(encode(some_segment()), 9));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == Errc::wrong_version);
  CHECK(decoded.error().what == "its format is version 9; this program reads and writes version 2");
  // An octet that went bad is no other version.
  std::string bad = encode(some_segment());
  bad[8] = 9;
  CHECK(decode_segment_header(bad).error().code == Errc::corrupt);
}

TEST_CASE("record header: there and back; other salts and flipped bits give none") {
  RecordHeader header;
  header.type = 3;
  header.flags = kLast;
  header.meta_size = 100;
  header.content_size = 200;
  header.synced = 64;
  header.id = MessageId{42};
  header.meta_crc = 1;
  header.content_crc = 2;
  const std::uint32_t salt = salt_of(some_segment());
  const std::string octets = encode(header, salt);
  REQUIRE(octets.size() == kRecordHeaderSize);
  CHECK(decode_record_header(octets, salt) == header);
  SegmentHeader other = some_segment();
  other.epoch ^= 1;
  CHECK_FALSE(decode_record_header(octets, salt_of(other)));
  for (std::size_t i = 0; i < octets.size(); ++i) {
    std::string bad = octets;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    CAPTURE(i);
    CHECK_FALSE(decode_record_header(bad, salt));
  }
  CHECK_FALSE(decode_record_header(std::string(kRecordHeaderSize, '\0'), salt));
}

TEST_CASE("index: there and back; entries outside of the segment or out of order give none") {
  const std::vector<Entry> entries{some_entry(64), some_entry(64 + 72), some_entry(64 + 144)};
  CHECK(decode_index(encode_index(entries), 1000) == entries);
  CHECK(decode_index("", 1000) == std::vector<Entry>{});
  struct Case {
    const char* what;
    std::vector<Entry> entries;
  };
  Entry huge = some_entry(64);
  huge.meta_size = huge.content_size = UINT32_MAX;
  for (const Case& c :
       {Case{"overlapping", {some_entry(64), some_entry(72)}}, Case{"backwards", {some_entry(200), some_entry(64)}},
        Case{"in the header", {some_entry(0)}}, Case{"unaligned", {some_entry(65)}},
        Case{"behind the end", {some_entry(992)}}, Case{"huge", {huge}}}) {
    CAPTURE(c.what);
    CHECK_FALSE(decode_index(encode_index(c.entries), 1000));
  }
  CHECK_FALSE(decode_index(encode_index(entries).substr(1), 1000));
}

TEST_CASE("trailer: there and back") {
  const std::string octets = encode_trailer(4096, 17);
  CHECK(decode_trailer(octets, 17) == 4096);
  CHECK_FALSE(decode_trailer(octets, 18));
  CHECK_FALSE(decode_trailer(std::string(kTrailerSize, '\0'), 17));
}

TEST_CASE("segment names") {
  CHECK(segment_name(12) == "00000012");
  CHECK(parse_segment_name("00000012") == 12);
  CHECK(parse_segment_name("123456789") == 123456789);
  for (const char* name : {"", "12", "00000000", "0000001x", "000000012", "00000012.bad", "lock"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_segment_name(name));
  }
}
