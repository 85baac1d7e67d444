// Reads the faults of [[at]].
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/fault.h"
#include "sim/scenario/host_names.h"

namespace postproof::sim {

// `source`: the file's lines.
Fault read_fault(TomlReader& table, const HostNames& hosts, const std::vector<std::string>& source);

// All kinds, in the order of the layers.
std::vector<std::string_view> fault_kinds();

}  // namespace postproof::sim
