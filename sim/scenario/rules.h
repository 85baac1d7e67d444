// The rules of a [peer.NAME]: what it answers where a correct receiver would answer otherwise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

Rule read_rule(TomlReader& table);
// The same from a table that has other keys too: the caller finishes it. `place`: where it applies if `on` says nothing;
// empty: `on` is required.
Rule read_rule_keys(TomlReader& table, std::string_view place = "");

// The lines of a reply; complains of what is none (RFC 5321 section 4.2).
std::vector<std::string> read_reply(TomlReader& table, std::string_view key);

}  // namespace postproof::sim
