// What is on a disk: a tree of directories and files, each with its durable half (what was synced) and
// what has been done to it since, so that a crash can take any of that back. No time and no faults here.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/result.h"
#include "mta/env/disk.h"
#include "mta/env/random.h"
#include "sim/world/sim_disk.h"
#include "sim/world/sparse_content.h"

namespace postproof::sim::world {

// A disk keeps or loses whole sectors: a torn write is cut at one of their borders.
inline constexpr std::uint64_t kSector = 512;

class FileNode {
 public:
  const SparseContent& content() const { return content_; }
  void write(std::uint64_t offset, std::string_view octets);
  void allocate(std::uint64_t offset, std::uint64_t size);
  void truncate(std::uint64_t size);
  void sync() { changes_.clear(); }
  void crash(CrashLoss loss, Random& random);
  void flip(std::uint64_t offset, unsigned bit);
  // How many octets are not zero, and where the nth of them stands, from 0.
  std::uint64_t written() const;
  std::uint64_t nth_written(std::uint64_t n) const;

 private:
  enum class Kind : std::uint8_t { write, zero, truncate };
  // One since the last sync: what it did, and what it takes to undo it.
  struct Change {
    Kind kind;
    std::uint64_t offset, size;  // of the range that was changed; of truncate: the new size, and nothing
    std::string octets;          // of write
    std::uint64_t size_before;
    std::vector<SparseContent::Stretch> before;
  };
  void change(Kind kind, std::uint64_t offset, std::uint64_t size, std::string octets);
  void apply(const Change& change, std::uint64_t size);
  void undo(const Change& change);

  SparseContent content_;
  std::vector<Change> changes_;
};

struct Directory;

struct DirectoryEntry {
  std::shared_ptr<FileNode> file;
  std::shared_ptr<Directory> directory;  // one of the two
};

// A rename from one directory into another shows in both. Whether a crash keeps the new name is decided
// once: the old one goes only if the new one stays (unless the old directory alone was synced).
struct Move {
  std::optional<bool> kept;
};

struct Directory {
  enum class Kind : std::uint8_t { add, remove, rename };
  struct Change {
    Kind kind;
    std::string name;
    std::string new_name;  // of rename
    DirectoryEntry entry;  // of add and rename
    std::shared_ptr<Move> move;
  };
  using Entries = std::map<std::string, DirectoryEntry, std::less<>>;

  Entries entries;
  Entries durable;
  std::vector<Change> changes;  // since the last sync, in order

  void add(std::string name, DirectoryEntry entry, std::shared_ptr<Move> move = nullptr);
  void remove(std::string name, std::shared_ptr<Move> move = nullptr);
  void rename(std::string from, std::string to);
  void sync();
  void crash(CrashLoss loss, Random& random);  // and everything below
};

// Paths: "/" separates, "." and nothing are passed over, relative ones start at the root.
class DiskImage {
 public:
  template <class T>
  using Outcome = std::expected<T, Errc>;

  DiskImage() : root_(std::make_shared<Directory>()) {}

  Outcome<std::shared_ptr<FileNode>> open(std::string_view path, OpenMode mode);
  Outcome<void> rename(std::string_view from, std::string_view to);
  Outcome<void> link(std::string_view from, std::string_view to);
  Outcome<void> unlink(std::string_view path);
  Outcome<void> mkdir(std::string_view path);
  Outcome<std::vector<std::string>> list(std::string_view path) const;
  Outcome<void> sync_dir(std::string_view path);

  // The part of a write that there is room for is written when there is not enough.
  Outcome<void> write(FileNode& file, std::uint64_t offset, std::string_view octets);
  Outcome<void> allocate(FileNode& file, std::uint64_t offset, std::uint64_t size);

  // Capacity counts the sizes of the files that have a name.
  std::optional<std::uint64_t> capacity;
  std::uint64_t free_bytes() const;

  Outcome<std::uint64_t> lock(std::string_view path);  // what unlock wants
  void unlock(std::string_view path, std::uint64_t lock);
  bool is_locked(std::string_view path) const { return locks_.contains(path); }

  void crash(CrashLoss loss, Random& random);

  // As an administrator: durable at once.
  std::shared_ptr<FileNode> find_file(std::string_view path) const;
  void make_directories(std::string_view path);
  void put(std::string_view path, std::string_view content);
  std::vector<std::string> files() const;  // paths, sorted

 private:
  struct Place {
    std::shared_ptr<Directory> directory;
    std::string name;
  };
  Outcome<Place> place(std::string_view path) const;  // its directory is there; it need not be
  std::shared_ptr<Directory> find_directory(std::string_view path) const;

  std::shared_ptr<Directory> root_;
  std::map<std::string, std::uint64_t, std::less<>> locks_;
  std::uint64_t last_lock_ = 0;
};

}  // namespace postproof::sim::world
