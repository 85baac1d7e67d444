// The faults of the layer disk.
#include <fmt/format.h>

#include <utility>

#include "sim/run/faults.h"
#include "sim/world/sim_disk.h"

namespace postproof::sim {

namespace {

DiskFault disk_fault(const Fault& fault) {
  DiskFault one;
  one.operation = fault.operation;
  one.path = fault.path;
  one.error = Errc::io;
  if (fault.kind == "disk.enospc") one.error = Errc::no_space;
  if (fault.kind == "disk.short-write") {
    one.error = Errc::no_space;
    one.partial = true;
    one.octets = fault.octets;
  } else if (fault.kind == "disk.slow") {
    one.trouble = DiskTrouble::slow;
    one.delay = fault.by;
  } else if (fault.kind == "disk.read-only") {
    one.operation = "change";
    one.error = Errc::permission;
  } else if (fault.kind == "disk.rename-not-durable") {
    one.operation = "sync_dir";
    one.trouble = DiskTrouble::forget;
  } else if (fault.kind == "disk.bit-rot") {
    one.operation = "read";
    one.trouble = DiskTrouble::flip;
    one.bits = fault.bits;
  }
  if (fault.nth) {
    one.skip = *fault.nth - 1;
    one.count = 1;
  }
  return one;
}

}  // namespace

void Faults::begin_disk(const Fault& fault, std::uint32_t line) {
  MtaActor* actor = cast_.mta(fault.host);
  if (actor == nullptr) return;
  SimDisk& disk = actor->node->disk();
  if (fault.kind == "disk.bit-rot" && !fault.on_read) {
    const std::vector<std::string> flipped = disk.rot(fault.path, fault.offset, fault.bits);
    for (const std::string& where : flipped) tell(fault, line, "strikes " + where);
    if (flipped.empty()) tell(fault, line, "finds nothing");
    return;
  }
  const bool any = fault.kind == "disk.read-only" || fault.kind == "disk.rename-not-durable";
  tell(fault, line, any ? "begins" : "begins: " + disk_fault(fault).operation);
  DiskFault one = disk_fault(fault);
  // A slow disk is slow in all it does: told once.
  one.on_strike = [this, &fault, line, told = false](std::string_view operation, std::string_view path) mutable {
    if (fault.kind == "disk.slow" && std::exchange(told, true)) return;
    tell(fault, line, fmt::format("strikes {} {}", operation, path));
  };
  const std::uint64_t id = disk.add_fault(std::move(one));
  end_later(fault, line, [&disk, id] { disk.remove_fault(id); });
}

}  // namespace postproof::sim
