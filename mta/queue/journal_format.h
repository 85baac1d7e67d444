// The journal's outer form on disk: segments and records. No I/O.
//
//   segment  header (64) | records ... | index record | zeros | trailer (24) | copy of the header (64)
//   record   header (40) | meta | content | zeros to a multiple of 8
//
// A segment is a file of its full size, zeros from the start and then overwritten. Each draws an epoch of
// its own, and the CRC of every record header is salted with it, so that octets which an older file left
// on the disk, or which somebody sent us as mail, never parse as a record. The record header's CRC covers
// the CRCs of meta and content.
//
// The header stands at both ends of the file, so that a sector that goes bad does not take the epoch with it.
// The copy is written only when the header is durable: where the copy stands and the header does not, the
// header went bad.
//
// Each segment's first record tells the mark of ids and what is void in older segments (RecordType::bounds),
// all of it or nothing: before it is durable, the segment is not in use.
//
// Meta is what recovery must know; content is a message's octets, which only delivery reads. The index
// record and the trailer are written when the segment is full, in one write with its last records: with
// them recovery need not read the segment whole. A segment that is not the newest has them, or an offset from
// which on it is void: anything else is damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/message_id.h"
#include "mta/base/result.h"

namespace postproof::queue::journal {

inline constexpr std::uint32_t kFormatVersion = 2;
inline constexpr std::size_t kSegmentHeaderSize = 64;
inline constexpr std::size_t kRecordHeaderSize = 40;
inline constexpr std::size_t kIndexEntrySize = 32;
inline constexpr std::size_t kTrailerSize = 24;
// Behind the records' place.
inline constexpr std::size_t kTailSize = kTrailerSize + kSegmentHeaderSize;
inline constexpr std::uint64_t kAlignment = 8;
// Offsets are stored in 32 bits; a record that does not fit into a segment of this size is refused.
inline constexpr std::uint64_t kSegmentSizeMax = std::uint64_t{2} * 1024 * 1024 * 1024;

struct SegmentHeader {
  std::uint64_t number = 0;  // also the file's name
  std::uint64_t spool = 0;   // drawn once for a spool
  std::uint64_t epoch = 0;   // drawn for each segment
  std::uint64_t size = 0;    // of the whole file
  bool operator==(const SegmentHeader&) const = default;
};

std::string encode(const SegmentHeader& header);
// Magic, version and CRC have their places in every version. Errors: wrong_version, which names both
// versions, of a header that is whole; corrupt.
Result<SegmentHeader> decode_segment_header(std::string_view octets);
std::uint32_t salt_of(const SegmentHeader& header);

// Numbers are stored: none may ever change. Records of other types are kept and skipped.
enum class RecordType : std::uint16_t {
  bounds = 1,    // ids below a mark may have been given out; what is void in other segments
  commit = 3,    // a message was accepted
  progress = 4,  // recipients of a message have changed their state
  report = 5,    // both at once: a bounce was made, and recipients of another message have changed
  copy = 6,      // a message with all its progress, moved forward; replaces what stood before
  forget = 7,    // a message is gone, whatever stood before
  index = 8,     // what the segment holds
};

struct RecordHeader {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t meta_size = 0;
  std::uint32_t content_size = 0;
  std::uint32_t synced = 0;  // how much of the segment had been synced when this was written
  MessageId id;
  std::uint32_t meta_crc = 0;
  std::uint32_t content_crc = 0;
  bool operator==(const RecordHeader&) const = default;

  std::uint64_t payload_size() const { return std::uint64_t{meta_size} + content_size; }
};

// Flag: the message that the record's progress is about is gone with it.
inline constexpr std::uint16_t kLast = 1;

// Room that a record takes.
constexpr std::uint64_t footprint(std::uint64_t meta_size, std::uint64_t content_size) {
  return (kRecordHeaderSize + meta_size + content_size + kAlignment - 1) / kAlignment * kAlignment;
}

std::string encode(const RecordHeader& header, std::uint32_t salt);
// None: these are not the octets of a record of this segment.
std::optional<RecordHeader> decode_record_header(std::string_view octets, std::uint32_t salt);

// A record's place in its segment, as the index lists it.
struct Entry {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  MessageId id;
  MessageId about;  // of a report: the message whose recipients changed
  std::uint32_t offset = 0;
  std::uint32_t meta_size = 0;
  std::uint32_t content_size = 0;
  bool content_good = true;  // not stored: reading the segment whole has found that the content's CRC fits
  bool operator==(const Entry&) const = default;

  bool is(RecordType t) const { return type == static_cast<std::uint16_t>(t); }
  std::uint64_t end() const { return offset + footprint(meta_size, content_size); }
};

// The index record's meta. Decoding checks every entry against the segment's size.
std::string encode_index(const std::vector<Entry>& entries);
std::optional<std::vector<Entry>> decode_index(std::string_view octets, std::uint64_t segment_size);
// Room that index record, trailer and the header's copy take for so many entries.
std::uint64_t index_footprint(std::size_t entries);

std::string encode_trailer(std::uint32_t index_offset, std::uint32_t salt);
// The index record's offset.
std::optional<std::uint32_t> decode_trailer(std::string_view octets, std::uint32_t salt);

// Files of the journal's folder: "00000012", and "00000012.bad" of one that was set aside.
std::string segment_name(std::uint64_t number);
std::optional<std::uint64_t> parse_segment_name(std::string_view name);
inline constexpr std::string_view kBadSuffix = ".bad";

}  // namespace postproof::queue::journal
