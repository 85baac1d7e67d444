// The disk of a node: file content and directory entries each with a synced and an unsynced half, so
// that a crash shows what a real one may leave (after LevelDB's fault-injection test).
//
// Default costs: write 20 us, sync and sync_dir 1 ms, everything else 10 us.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/time.h"
#include "mta/env/disk.h"

namespace postproof::sim {

class Node;

namespace world {
class Life;
}  // namespace world

// What a crash does to content that was written and not synced, and to names that were not.
enum class CrashLoss : std::uint8_t {
  lose_all,  // nothing unsynced stays
  keep_all,  // everything stays: the page cache got lucky
  torn,      // each unsynced write is kept, lost, or cut at a 512-octet sector, drawn at random; so are names
};

enum class DiskTrouble : std::uint8_t {
  fail,    // the operation fails
  slow,    // it takes longer
  forget,  // of sync_dir: it says that all is well, and no name is durable for that
  flip,    // of read: bits of what is read are wrong, and what is stored is not
};

struct DiskFault {
  // "open", "read", "write", "allocate", "sync", "size", "truncate", "rename", "link", "unlink", "mkdir", "list",
  // "sync_dir", "free_bytes", "lock", "is_locked"; "*" for all of them, "change" for those that a read-only disk
  // refuses.
  std::string operation;
  std::string path = "*";              // glob over the whole path; of rename and link, over either
  Errc error = Errc::io;               // of fail: no_space, io, permission
  std::uint64_t skip = 0;              // let so many matching operations pass first
  std::optional<std::uint64_t> count;  // then strike so many; none: until cleared
  bool partial = false;                // a failing write leaves a part of it: its first half, or
  std::optional<std::uint64_t> octets{};  // so many octets
  DiskTrouble trouble = DiskTrouble::fail;
  Duration delay{};                    // of slow
  std::uint64_t bits = 1;              // of flip
  // Told of each operation that it strikes.
  std::function<void(std::string_view operation, std::string_view path)> on_strike{};
};

class SimDisk {
 public:
  explicit SimDisk(Node& node);
  ~SimDisk();

  std::uint64_t add_fault(DiskFault fault);  // an id for remove_fault
  void remove_fault(std::uint64_t id);
  void set_capacity(std::optional<std::uint64_t> bytes);  // none: no limit
  void set_crash_loss(CrashLoss loss);                    // lose_all unless set
  void set_costs(Duration write, Duration sync, Duration other);

  // Operations since the node was made; each open, read, write, sync ... counts one, when its cost has
  // passed and it is to have its effect.
  std::uint64_t operations() const;
  // Called before operation `number` has its effect; for crashes at the nth disk operation: after
  // crash_soon() in here it has none.
  void on_operation(std::function<void(std::uint64_t number, std::string_view operation, std::string_view path)> hook);

  // Direct access for tests and scenarios, as if by an administrator while nothing runs.
  std::optional<std::string> content(std::string_view path) const;  // what a reader sees
  void put(std::string_view path, std::string content);             // durable at once
  void flip(std::string_view path, std::uint64_t offset);           // bit rot: inverts one bit
  // Bit rot in every file that matches: so many bits each, of the octet there or of octets that are not zero.
  // "PATH, octet N" for each that was inverted.
  std::vector<std::string> rot(std::string_view pattern, std::optional<std::uint64_t> offset, std::uint64_t bits);
  void make_directories(std::string_view path);                     // durable at once, parents too
  std::vector<std::string> files() const;                           // all paths, absolute, sorted

  // For Node: the ports of one life of the node, and what a crash does.
  std::unique_ptr<Disk> open_ports(world::Life& life);
  void crash();

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace postproof::sim
