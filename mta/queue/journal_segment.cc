#include "mta/queue/journal_segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "mta/base/crc32c.h"
#include "mta/queue/journal_records.h"

namespace postproof::queue::journal {

namespace {

constexpr std::uint64_t kWindow = 64 * 1024;
constexpr std::uint64_t kSearchWindow = 1024 * 1024;

bool all_zero(std::string_view octets) {
  return octets.empty() || (octets[0] == 0 && std::memcmp(octets.data(), octets.data() + 1, octets.size() - 1) == 0);
}

bool fits(const RecordHeader& header, std::uint64_t offset, std::uint64_t size) {
  return offset + footprint(header.meta_size, header.content_size) <= size;
}

// Where the next record stands, from `offset` on, and whether anything but zeros was passed on the way.
struct Found {
  std::optional<std::uint64_t> offset;
  bool clean = true;
};

// Records stand at multiples of 8, and none begins with eight zeros.
Task<Result<Found>> find_record(SegmentReader& reader, std::uint64_t offset, std::uint32_t salt) {
  Found found;
  if (offset + kRecordHeaderSize <= reader.size()) {
    const auto octets = co_await reader.fetch(offset, kRecordHeaderSize);
    if (!octets) co_return std::unexpected(octets.error());
    const auto header = decode_record_header(*octets, salt);
    if (header && fits(*header, offset, reader.size())) {
      found.offset = offset;
      co_return found;
    }
  }
  while (offset + kRecordHeaderSize <= reader.size()) {
    const std::uint64_t take = std::min(kSearchWindow, reader.size() - offset);
    const auto octets = co_await reader.fetch(offset, take);
    if (!octets) co_return std::unexpected(octets.error());
    if (all_zero(*octets)) {
      if (take < kSearchWindow) break;
      offset += take - kRecordHeaderSize;  // which is a multiple of 8
      continue;
    }
    std::uint64_t at = 0;
    for (; at + kRecordHeaderSize <= take; at += kAlignment) {
      if (all_zero(octets->substr(at, kAlignment))) continue;
      const auto header = decode_record_header(octets->substr(at, kRecordHeaderSize), salt);
      if (header && fits(*header, offset + at, reader.size())) {
        found.offset = offset + at;
        co_return found;
      }
      found.clean = false;
    }
    offset += at;
  }
  co_return found;
}

// The entries of a sealed segment; none: there is no index that checks out.
Task<Result<std::optional<std::vector<Entry>>>> read_index(SegmentReader& reader, const SegmentContents& segment) {
  std::optional<std::vector<Entry>> none;
  if (reader.size() < segment.header.size) co_return none;
  const std::uint32_t salt = salt_of(segment.header);
  const auto trailer = co_await reader.fetch(segment.records_end(), kTrailerSize);
  if (!trailer) co_return std::unexpected(trailer.error());
  const auto offset = decode_trailer(*trailer, salt);
  if (!offset || *offset + kRecordHeaderSize > segment.records_end()) co_return none;
  const auto octets = co_await reader.fetch(*offset, kRecordHeaderSize);
  if (!octets) co_return std::unexpected(octets.error());
  const auto header = decode_record_header(*octets, salt);
  if (!header || header->type != static_cast<std::uint16_t>(RecordType::index) ||
      !fits(*header, *offset, segment.records_end())) {
    co_return none;
  }
  const auto meta = co_await reader.fetch(*offset + kRecordHeaderSize, header->meta_size);
  if (!meta) co_return std::unexpected(meta.error());
  if (crc32c(*meta) != header->meta_crc) co_return none;
  co_return decode_index(*meta, *offset);
}

Entry entry_of(const RecordHeader& header, std::uint64_t offset, std::string_view meta) {
  Entry entry;
  entry.type = header.type;
  entry.flags = header.flags;
  entry.id = header.id;
  entry.offset = static_cast<std::uint32_t>(offset);
  entry.meta_size = header.meta_size;
  entry.content_size = header.content_size;
  if (entry.is(RecordType::report)) {
    if (const auto record = decode_message_and_changes(meta)) entry.about = record->about;
  }
  return entry;
}

// Notes damage at `offset`; a later record that says how much was synced may prove it.
void add_damage(SegmentContents& contents, std::uint64_t offset, std::string what, bool was_synced = false) {
  Damage damage;
  damage.offset = offset;
  damage.was_synced = was_synced;
  damage.what = std::move(what);
  contents.damage.push_back(std::move(damage));
}

// The header, or its copy at the file's end where the header went bad.
Task<Result<void>> read_header(SegmentReader& reader, SegmentContents& contents) {
  const auto octets = co_await reader.fetch(0, kSegmentHeaderSize);
  if (!octets) co_return std::unexpected(octets.error());
  auto header = decode_segment_header(*octets);
  if (!header && header.error().code == Errc::wrong_version) co_return std::unexpected(std::move(header.error()));
  const std::uint64_t size = header ? header->size : reader.size();
  Result<SegmentHeader> copy = fail(Errc::corrupt, "it has no copy of its header");
  if (size >= kSegmentHeaderSize + kTailSize && size <= reader.size()) {
    const auto at_end = co_await reader.fetch(size - kSegmentHeaderSize, kSegmentHeaderSize);
    if (!at_end) co_return std::unexpected(at_end.error());
    copy = decode_segment_header(*at_end);
  }
  if (!copy && copy.error().code == Errc::wrong_version) co_return std::unexpected(std::move(copy.error()));
  if (header) {
    contents.header = *header;
    if (reader.size() < size) {
      add_damage(contents, reader.size(), fmt::format("the file ends here and not at {}", size), true);
    } else if (!copy || *copy != *header) {
      add_damage(contents, size - kSegmentHeaderSize, "the copy of its header does not check out", true);
    }
    co_return Result<void>{};
  }
  if (!copy || copy->size != size) co_return std::unexpected(std::move(header.error()));
  contents.header = *copy;
  add_damage(contents, 0, "its header does not check out; the copy at its end was read", true);
  co_return Result<void>{};
}

Task<Result<void>> scan(SegmentReader& reader, SegmentContents& contents) {
  const std::uint32_t salt = salt_of(contents.header);
  std::uint64_t offset = kSegmentHeaderSize;
  contents.end = offset;
  for (;;) {
    const auto found = co_await find_record(reader, offset, salt);
    if (!found) co_return std::unexpected(found.error());
    if (!found->offset) {
      if (!found->clean) add_damage(contents, offset, "octets that are no record");
      contents.blank_end = found->clean;
      co_return Result<void>{};
    }
    if (*found->offset != offset) add_damage(contents, offset, "no record where one should be");
    offset = *found->offset;
    const auto octets = co_await reader.fetch(offset, kRecordHeaderSize);
    if (!octets) co_return std::unexpected(octets.error());
    const RecordHeader header = decode_record_header(*octets, salt).value();
    for (Damage& damage : contents.damage) damage.was_synced = damage.was_synced || header.synced > damage.offset;

    if (header.type == static_cast<std::uint16_t>(RecordType::index)) {
      add_damage(contents, offset, "its index or its trailer does not check out");
      co_return Result<void>{};
    }
    const auto payload = co_await reader.fetch(offset + kRecordHeaderSize, header.payload_size());
    if (!payload) co_return std::unexpected(payload.error());
    const std::string_view meta = payload->substr(0, header.meta_size);
    if (crc32c(meta) != header.meta_crc) {
      add_damage(contents, offset,
                 fmt::format("the record about message {} does not check out", header.id.to_string()));
    } else {
      Entry entry = entry_of(header, offset, meta);
      if (crc32c(payload->substr(header.meta_size)) != header.content_crc) {
        entry.content_good = false;
        add_damage(contents, offset,
                   fmt::format("the content of message {} does not check out", header.id.to_string()));
      }
      contents.entries.push_back(entry);
    }
    offset += footprint(header.meta_size, header.content_size);
    contents.end = offset;
  }
}

}  // namespace

Task<Result<std::string_view>> SegmentReader::fetch(std::uint64_t offset, std::uint64_t size) {
  if (offset > size_ || size > size_ - offset) co_return fail(Errc::corrupt, "the file ends in the middle of a record");
  if (offset < window_start_ || offset + size > window_start_ + window_.size()) {
    const std::uint64_t take = std::min(std::max(size, kWindow), size_ - offset);
    window_.resize(take);
    window_start_ = offset;
    const auto got = co_await file_.read_at(offset, window_);
    if (!got) {
      window_.clear();
      co_return std::unexpected(got.error());
    }
    window_.resize(*got);
    if (*got < size) co_return fail(Errc::corrupt, "the file ends in the middle of a record");
  }
  co_return std::string_view(window_).substr(offset - window_start_, size);
}

Task<Result<SegmentContents>> load_segment(File& file) {
  const auto size = co_await file.size();
  if (!size) co_return std::unexpected(size.error());
  SegmentReader reader(file, std::min(*size, kSegmentSizeMax));
  SegmentContents contents;
  const auto read = co_await read_header(reader, contents);
  if (!read) co_return std::unexpected(read.error());

  auto index = co_await read_index(reader, contents);
  if (!index) co_return std::unexpected(index.error());
  if (*index) {
    contents.sealed = true;
    contents.entries = std::move(**index);
    contents.end = contents.entries.empty() ? kSegmentHeaderSize : contents.entries.back().end();
    co_return contents;
  }
  SegmentReader records(file, std::min(*size, contents.records_end()));
  const auto scanned = co_await scan(records, contents);
  if (!scanned) co_return std::unexpected(scanned.error());
  if (contents.blank_end && *size >= contents.header.size) {
    const auto trailer = co_await reader.fetch(contents.records_end(), kTrailerSize);
    if (!trailer) co_return std::unexpected(trailer.error());
    contents.blank_end = all_zero(*trailer);
  }
  std::stable_sort(contents.damage.begin(), contents.damage.end(),
                   [](const Damage& a, const Damage& b) { return a.offset < b.offset; });
  co_return contents;
}

Task<Result<RecordView>> read_record(SegmentReader& reader, const SegmentHeader& segment, Entry entry) {
  const auto octets = co_await reader.fetch(entry.offset, kRecordHeaderSize + std::uint64_t{entry.meta_size});
  if (!octets) co_return std::unexpected(octets.error());
  const auto header = decode_record_header(octets->substr(0, kRecordHeaderSize), salt_of(segment));
  if (!header || header->type != entry.type || header->id != entry.id || header->meta_size != entry.meta_size ||
      header->content_size != entry.content_size) {
    co_return fail(Errc::corrupt, fmt::format("the record about message {} is not there", entry.id.to_string()));
  }
  RecordView view;
  view.header = *header;
  view.meta = octets->substr(kRecordHeaderSize);
  if (crc32c(view.meta) != header->meta_crc) {
    co_return fail(Errc::corrupt, fmt::format("the record about message {} does not check out", entry.id.to_string()));
  }
  co_return view;
}

Task<Result<bool>> is_blank(File& file) {
  const auto size = co_await file.size();
  if (!size) co_return std::unexpected(size.error());
  SegmentReader reader(file, *size);
  for (std::uint64_t offset = kSegmentHeaderSize; offset < *size;) {
    const std::uint64_t take = std::min(kSearchWindow, *size - offset);
    const auto octets = co_await reader.fetch(offset, take);
    if (!octets) co_return std::unexpected(octets.error());
    if (!all_zero(*octets)) co_return false;
    offset += take;
  }
  co_return true;
}

}  // namespace postproof::queue::journal
