// The kinds of faults and the keys that each takes: one row a kind, one list a layer. A new kind is a row of
// its layer's file; a new layer is a file, a line here, and one in faults.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/fault.h"
#include "sim/scenario/host_names.h"

namespace postproof::sim {

// What a fault's table is read with.
struct FaultReading {
  TomlReader& table;
  const HostNames& hosts;
  const std::vector<std::string>& source;  // the file's lines
};

// A key, and what reads it, present or not, and complains. The common ones are in fault_keys.h.
struct FaultKey {
  std::string_view name;
  void (*read)(const FaultReading& reading, Fault& fault);
};

struct FaultKind {
  std::string_view name;
  std::vector<FaultKey> required, optional;
  // What its keys say together: called last. None: nothing more.
  void (*settle)(const FaultReading& reading, Fault& fault) = nullptr;
};

std::vector<FaultKind> tcp_fault_kinds();
std::vector<FaultKind> dns_fault_kinds();
std::vector<FaultKind> tls_fault_kinds();
std::vector<FaultKind> disk_fault_kinds();
std::vector<FaultKind> smtp_fault_kinds();
std::vector<FaultKind> process_fault_kinds();
std::vector<FaultKind> clock_fault_kinds();

// For `settle` of kinds that are over as soon as they have struck.
void strike_at_once(const FaultReading& reading, Fault& fault);

}  // namespace postproof::sim
