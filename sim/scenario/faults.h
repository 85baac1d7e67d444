// Reads the faults of [[at]].
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/fault.h"
#include "sim/scenario/fault_kinds.h"
#include "sim/scenario/host_names.h"

namespace postproof::sim {

// `source`: the file's lines.
Fault read_fault(TomlReader& table, const HostNames& hosts, const std::vector<std::string>& source);

// What a recording names as the place of a fault: a host, a name of the DNS, a path.
std::string place_of(const Fault& fault);

// Null: no kind has this name.
const FaultKind* find_fault_kind(std::string_view name);

// All kinds, in the order of the layers.
std::vector<std::string_view> fault_kinds();

}  // namespace postproof::sim
