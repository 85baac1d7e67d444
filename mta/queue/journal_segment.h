// Reads a segment: by its index when it is sealed and whole, else record by record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mta/env/disk.h"
#include "mta/queue/journal_format.h"

namespace postproof::queue::journal {

// Octets of a file through a window, so that reading small pieces in a row costs few calls.
class SegmentReader {
 public:
  SegmentReader(File& file, std::uint64_t size) : file_(file), size_(size) {}

  // Exactly these octets, valid until the next call; Errc::corrupt if the file does not have them.
  Task<Result<std::string_view>> fetch(std::uint64_t offset, std::uint64_t size);
  std::uint64_t size() const { return size_; }

 private:
  File& file_;
  std::uint64_t size_;
  std::uint64_t window_start_ = 0;
  std::string window_;
};

// A place where no record stands though one should, or whose octets do not check out.
struct Damage {
  std::uint64_t offset = 0;
  // It is not the torn tail of a crash: a later record knows that this place had been synced, or the segment
  // had to be whole before it got its first record.
  bool was_synced = false;
  std::string what;
};

struct SegmentContents {
  SegmentHeader header;
  bool sealed = false;         // it has its index and trailer
  std::vector<Entry> entries;  // by offset; not the index itself
  std::vector<Damage> damage;  // by offset
  std::uint64_t end = 0;       // behind the last record
  bool blank_end = false;      // nothing but zeros between there and the header's copy

  // Where records and their index stand.
  std::uint64_t records_end() const { return header.size - kTailSize; }
};

// Errors: those of reading; wrong_version; corrupt when neither the header nor its copy can be read. Any other
// damage is no error.
Task<Result<SegmentContents>> load_segment(File& file);

// The record at an entry: its header, and its meta in `reader`'s window. Errc::corrupt if it is not there.
struct RecordView {
  RecordHeader header;
  std::string_view meta;
};
Task<Result<RecordView>> read_record(SegmentReader& reader, const SegmentHeader& segment, Entry entry);

// True: the file holds nothing but zeros behind the place of a header.
Task<Result<bool>> is_blank(File& file);

}  // namespace postproof::queue::journal
