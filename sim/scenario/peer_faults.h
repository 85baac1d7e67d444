// What a peer does otherwise than a correct receiver besides its rules: keys of [peer.NAME], and of smtp.* faults.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/peer_fault.h"
#include "sim/wire/dot.h"

namespace postproof::sim {

// Of a table { messages, octets, match, reply }, and of one { on, count, per, burst, each, reply }.
Quota read_quota(TomlReader& table);
RateLimit read_rate_limit(TomlReader& table);
// A size under this key, and `reply`.
SizeLimit read_size_limit(TomlReader& table, std::string_view key);
// The keys add, remove and garble.
KeywordChange read_keyword_change(TomlReader& table);

// The keys quota, rate and size_max of [peer.NAME].
std::vector<PeerFault> read_peer_faults(TomlReader& peer);
// The key end_of_data: "lf.lf" and others.
std::vector<FinalDot> read_end_of_data(TomlReader& peer);

}  // namespace postproof::sim
