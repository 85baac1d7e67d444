// [[at]]: what happens when.
#pragma once

#include <string>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/host_names.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

// By time, equals in the order of the file. Nothing may stand behind the run's `limit`. `source`: the file's lines.
std::vector<At> read_timeline(TomlReader& top, const HostNames& hosts, Duration limit,
                              const std::vector<std::string>& source);

}  // namespace postproof::sim
