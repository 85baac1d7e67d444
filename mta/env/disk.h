// Files of the world, and what is durable when.
//
// Durability: what write_at and allocate put into a file is durable once sync() has returned; that a
// name stands in a directory (after create, rename, link, unlink, mkdir) is durable once sync_dir() of
// that directory has returned. Until then a crash may keep it, lose it, or keep a part of it.
// No call completes inline. Paths are absolute or relative to the process; "/" separates.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/result.h"
#include "mta/env/task.h"

namespace postproof {

// One mutating operation (write_at, allocate, sync, truncate) is in flight at a time; reads may overlap
// with it and with each other. After a failed sync every later call but reads yields Errc::poisoned.
// Arguments must live until the call ends. Destroying a File closes it; no call may be in flight then.
class File {
 public:
  virtual ~File() = default;

  // Fewer octets than asked for only at the end of the file; 0 behind it.
  virtual Task<Result<std::size_t>> read_at(std::uint64_t offset, std::span<char> into) = 0;
  // All of it or an error; after an error any part of it may have been written. The file grows as needed.
  virtual Task<Result<void>> write_at(std::uint64_t offset, std::string_view octets) = 0;
  // Makes [offset, offset + size) zeros that have their place on the disk, so that later writes there
  // neither fail for want of space nor change the file's metadata.
  virtual Task<Result<void>> allocate(std::uint64_t offset, std::uint64_t size) = 0;
  virtual Task<Result<void>> sync() = 0;  // fdatasync
  virtual Task<Result<std::uint64_t>> size() = 0;
  virtual Task<Result<void>> truncate(std::uint64_t size) = 0;
};

enum class OpenMode : std::uint8_t {
  read,        // must exist
  read_write,  // must exist
  create_new,  // must not exist (Errc::already_exists); read and write
};

// Held as long as the object lives, and not after the process has ended, however it ended.
class DiskLock {
 public:
  virtual ~DiskLock() = default;
};

class Disk {
 public:
  virtual ~Disk() = default;

  virtual Task<Result<std::unique_ptr<File>>> open(std::string path, OpenMode mode) = 0;
  virtual Task<Result<void>> rename(std::string from, std::string to) = 0;  // replaces `to`
  virtual Task<Result<void>> link(std::string from, std::string to) = 0;
  virtual Task<Result<void>> unlink(std::string path) = 0;  // a file
  virtual Task<Result<void>> mkdir(std::string path) = 0;   // mode 0700; Errc::already_exists
  virtual Task<Result<std::vector<std::string>>> list(std::string directory) = 0;  // names, sorted, no dots
  virtual Task<Result<void>> sync_dir(std::string directory) = 0;
  virtual Task<Result<std::uint64_t>> free_bytes(std::string path) = 0;
  // Creates the file if need be. Errc::in_use when another process holds it.
  virtual Task<Result<std::unique_ptr<DiskLock>>> lock(std::string path) = 0;
  // Whether anybody holds it; takes nothing, and is in nobody's way. False where no such file is.
  virtual Task<Result<bool>> is_locked(std::string path) = 0;
};

}  // namespace postproof
