#include <toml++/toml.h>

#include "sim/scenario/fault_keys.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

void read_event(const FaultReading& reading, Fault& fault) {
  fault.event = read_event_name(reading.table, "event").value_or("");
}

void read_match(const FaultReading& reading, Fault& fault) {
  fault.match = read_glob(reading.table, "match").value_or("*");
}

void read_disk_op(const FaultReading& reading, Fault& fault) {
  const toml::node* value = reading.table.raw("disk_op");
  if (value == nullptr) return;
  if (value->is_string()) {
    fault.disk_op_each = reading.table.word("disk_op", {"each"}).has_value();
  } else {
    fault.disk_op = read_count(reading.table, "disk_op", 1, 100'000'000);
  }
}

void read_from(const FaultReading& reading, Fault& fault) {
  fault.from = read_event_name(reading.table, "from").value_or("");
}

void read_restart(const FaultReading& reading, Fault& fault) { fault.restart = reading.table.duration("restart"); }

void read_loss(const FaultReading& reading, Fault& fault) {
  fault.loss = reading.table.word("loss", {"torn", "lose", "keep"}).value_or("torn");
}

constexpr FaultKey kEvent{"event", read_event};
constexpr FaultKey kMatch{"match", read_match};
constexpr FaultKey kDiskOp{"disk_op", read_disk_op};
constexpr FaultKey kFrom{"from", read_from};
constexpr FaultKey kRestart{"restart", read_restart};
constexpr FaultKey kLoss{"loss", read_loss};

void read_limit(const FaultReading& reading, Fault& fault) {
  fault.limit = read_count(reading.table, "limit", 0).value_or(0);
}

constexpr FaultKey kLimit{"limit", read_limit};

// Crashes: now, at an event, or at a disk operation.
void settle_crash(const FaultReading& reading, Fault& fault) {
  TomlReader& table = reading.table;
  if (table.has("disk_op") && table.has("event")) table.complain("event", "expected only one of event and disk_op");
  if (table.has("match") && !table.has("event")) table.complain("match", "expected only together with \"event\"");
  if (table.has("from") && !table.has("disk_op")) table.complain("from", "expected only together with \"disk_op\"");
  fault.instant = fault.event.empty() && !fault.disk_op && !fault.disk_op_each;
}

}  // namespace

std::vector<FaultKind> process_fault_kinds() {
  return {
      {"process.crash", {kMta}, {kEvent, kMatch, kDiskOp, kFrom, kRestart, kLoss}, settle_crash},
      {"process.pause", {kHost, kFor}, {}},
      {"process.descriptors", {kMta, kLimit}, {kFor}},
  };
}

}  // namespace postproof::sim
