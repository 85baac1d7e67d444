// The rules of a [peer.NAME]: what it answers where a correct receiver would answer otherwise.
#pragma once

#include "mta/base/toml_reader.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

Rule read_rule(TomlReader& table);

}  // namespace postproof::sim
