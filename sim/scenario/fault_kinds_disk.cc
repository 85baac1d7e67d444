#include <toml++/toml.h>

#include "sim/scenario/fault_keys.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

void read_any_operation(const FaultReading& reading, Fault& fault) {
  read_fault_operation(reading, fault);
  if (!reading.table.has("operation")) fault.operation = "*";
}

void read_by(const FaultReading& reading, Fault& fault) {
  fault.by = read_positive(reading.table, "by").value_or(Duration{0});
}

void read_octets(const FaultReading& reading, Fault& fault) {
  fault.octets = read_count(reading.table, "octets", 0, 1'000'000'000);
}

void read_offset(const FaultReading& reading, Fault& fault) {
  fault.offset = read_count(reading.table, "offset", 0, std::uint64_t{1} << 40);
}

void read_bits(const FaultReading& reading, Fault& fault) {
  fault.bits = read_count(reading.table, "bits", 1).value_or(1);
}

void read_on(const FaultReading& reading, Fault& fault) {
  fault.on_read = reading.table.word("on", {"store", "read"}).value_or("store") == "read";
}

constexpr FaultKey kAnyOperation{"operation", read_any_operation};
constexpr FaultKey kBy{"by", read_by};
constexpr FaultKey kOctets{"octets", read_octets};
constexpr FaultKey kOffset{"offset", read_offset};
constexpr FaultKey kBits{"bits", read_bits};
constexpr FaultKey kOn{"on", read_on};

void settle_bit_rot(const FaultReading& reading, Fault& fault) {
  fault.instant = !fault.on_read;
  for (const std::string_view key : {"nth", "for"}) {
    if (reading.table.has(key) && !fault.on_read) {
      reading.table.complain(key, "expected only together with on = \"read\"");
    }
  }
  if (reading.table.has("offset") && fault.on_read) {
    reading.table.complain("offset", "expected only without on = \"read\"");
  }
}

}  // namespace

std::vector<FaultKind> disk_fault_kinds() {
  return {
      {"disk.enospc", {kMta}, {kOperation, kPath, kNth, kFor}},
      {"disk.eio", {kMta}, {kOperation, kPath, kNth, kFor}},
      {"disk.short-write", {kMta}, {kPath, kNth, kOctets, kFor}},
      {"disk.slow", {kMta, kBy}, {kAnyOperation, kPath, kNth, kFor}},
      {"disk.read-only", {kMta}, {kPath, kFor}},
      {"disk.rename-not-durable", {kMta}, {kPath, kFor}},
      {"disk.bit-rot", {kMta}, {kPath, kOffset, kBits, kOn, kNth, kFor}, settle_bit_rot},
  };
}

}  // namespace postproof::sim
