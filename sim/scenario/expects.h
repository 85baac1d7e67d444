// [[expect]]: what must have come of it.
#pragma once

#include <cstdint>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/host_names.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

// `seeds`: of the group that the scenario runs with.
std::vector<Expect> read_expects(TomlReader& top, const HostNames& hosts, std::uint64_t seeds);

}  // namespace postproof::sim
