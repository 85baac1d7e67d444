// Faults of an [[at]]: their kinds, and the keys that each kind takes.
#pragma once

#include <string_view>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/host_names.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

Fault read_fault(TomlReader& table, const HostNames& hosts);

// All kinds, in the order of the layers.
std::vector<std::string_view> fault_kinds();

}  // namespace postproof::sim
