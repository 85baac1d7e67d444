#include "mta/queue/journal_format.h"

#include <fmt/format.h>

#include "mta/base/check.h"
#include "mta/base/crc32c.h"
#include "mta/base/text.h"
#include "mta/queue/journal_octets.h"

namespace postproof::queue::journal {

namespace {

constexpr std::string_view kMagic = "ppjournl";
constexpr std::size_t kCrcSize = 4;
constexpr std::uint64_t kTrailerMagic = 0x7865646e492d7070;  // "pp-Index"
constexpr std::size_t kSegmentDigits = 8;

std::uint32_t last_u32(std::string_view octets) { return OctetReader(octets.substr(octets.size() - kCrcSize)).u32(); }

}  // namespace

std::string encode(const SegmentHeader& header) {
  std::string octets(kMagic);
  OctetWriter out(octets);
  out.u32(kFormatVersion);
  out.u32(0);
  out.u64(header.number);
  out.u64(header.spool);
  out.u64(header.epoch);
  out.u64(header.size);
  octets.resize(kSegmentHeaderSize - kCrcSize);
  out.u32(crc32c(octets));
  return octets;
}

Result<SegmentHeader> decode_segment_header(std::string_view octets) {
  if (octets.size() != kSegmentHeaderSize || !octets.starts_with(kMagic)) {
    return fail(Errc::corrupt, "its header is none of a journal segment");
  }
  OctetReader in(octets.substr(kMagic.size()));
  // An octet that went bad is no other version.
  if (last_u32(octets) != crc32c(octets.substr(0, kSegmentHeaderSize - kCrcSize))) {
    return fail(Errc::corrupt, "its header's CRC does not fit");
  }
  const std::uint32_t version = in.u32();
  if (version != kFormatVersion) {
    return fail(Errc::wrong_version, fmt::format("its format is version {}; this program reads and writes version {}",
                                                 version, kFormatVersion));
  }
  in.u32();
  SegmentHeader header;
  header.number = in.u64();
  header.spool = in.u64();
  header.epoch = in.u64();
  header.size = in.u64();
  if (header.size > kSegmentSizeMax || header.size < kSegmentHeaderSize + kTailSize) {
    return fail(Errc::corrupt, "its header names a size that no segment has");
  }
  return header;
}

std::uint32_t salt_of(const SegmentHeader& header) {
  std::string octets;
  OctetWriter out(octets);
  out.u64(header.spool);
  out.u64(header.epoch);
  return crc32c(octets);
}

std::string encode(const RecordHeader& header, std::uint32_t salt) {
  std::string octets;
  octets.reserve(kRecordHeaderSize);
  OctetWriter out(octets);
  out.u16(header.type);
  out.u16(header.flags);
  out.u32(header.meta_size);
  out.u32(header.content_size);
  out.u32(header.synced);
  out.u64(header.id.value);
  out.u32(header.meta_crc);
  out.u32(header.content_crc);
  out.u32(0);
  out.u32(crc32c(octets, salt));
  return octets;
}

std::optional<RecordHeader> decode_record_header(std::string_view octets, std::uint32_t salt) {
  if (octets.size() != kRecordHeaderSize) return std::nullopt;
  OctetReader in(octets);
  RecordHeader header;
  header.type = in.u16();
  if (header.type == 0) return std::nullopt;
  if (last_u32(octets) != crc32c(octets.substr(0, kRecordHeaderSize - kCrcSize), salt)) return std::nullopt;
  header.flags = in.u16();
  header.meta_size = in.u32();
  header.content_size = in.u32();
  header.synced = in.u32();
  header.id = MessageId{in.u64()};
  header.meta_crc = in.u32();
  header.content_crc = in.u32();
  return header;
}

std::string encode_index(const std::vector<Entry>& entries) {
  std::string octets;
  octets.reserve(entries.size() * kIndexEntrySize);
  OctetWriter out(octets);
  for (const Entry& entry : entries) {
    out.u16(entry.type);
    out.u16(entry.flags);
    out.u32(entry.offset);
    out.u64(entry.id.value);
    out.u64(entry.about.value);
    out.u32(entry.meta_size);
    out.u32(entry.content_size);
  }
  return octets;
}

std::optional<std::vector<Entry>> decode_index(std::string_view octets, std::uint64_t segment_size) {
  if (octets.size() % kIndexEntrySize != 0) return std::nullopt;
  OctetReader in(octets);
  std::vector<Entry> entries(octets.size() / kIndexEntrySize);
  std::uint64_t end = kSegmentHeaderSize;
  for (Entry& entry : entries) {
    entry.type = in.u16();
    entry.flags = in.u16();
    entry.offset = in.u32();
    entry.id = MessageId{in.u64()};
    entry.about = MessageId{in.u64()};
    entry.meta_size = in.u32();
    entry.content_size = in.u32();
    if (entry.offset < end || entry.offset % kAlignment != 0 || entry.end() > segment_size) return std::nullopt;
    end = entry.end();
  }
  return entries;
}

std::uint64_t index_footprint(std::size_t entries) { return footprint(entries * kIndexEntrySize, 0) + kTailSize; }

std::string encode_trailer(std::uint32_t index_offset, std::uint32_t salt) {
  std::string octets;
  OctetWriter out(octets);
  out.u64(kTrailerMagic);
  out.u64(index_offset);
  out.u32(0);
  out.u32(crc32c(octets, salt));
  PP_CHECK(octets.size() == kTrailerSize, "the trailer has its size");
  return octets;
}

std::optional<std::uint32_t> decode_trailer(std::string_view octets, std::uint32_t salt) {
  if (octets.size() != kTrailerSize) return std::nullopt;
  OctetReader in(octets);
  if (in.u64() != kTrailerMagic) return std::nullopt;
  if (last_u32(octets) != crc32c(octets.substr(0, kTrailerSize - kCrcSize), salt)) return std::nullopt;
  const std::uint64_t offset = in.u64();
  if (offset > kSegmentSizeMax) return std::nullopt;
  return static_cast<std::uint32_t>(offset);
}

std::string segment_name(std::uint64_t number) { return fmt::format("{:0{}}", number, kSegmentDigits); }

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
  const auto number = parse_decimal(name);
  if (!number || *number == 0 || segment_name(*number) != name) return std::nullopt;
  return number;
}

}  // namespace postproof::queue::journal
