// [[expect]]: what must have come of it.
#pragma once

#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/host_names.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

std::vector<Expect> read_expects(TomlReader& top, const HostNames& hosts);

}  // namespace postproof::sim
