// Master files (RFC 1035 section 5.1) cut into entries: lines joined over parentheses, comments gone, $ORIGIN and
// $TTL obeyed, owners filled in. What an entry's data mean is ldns's part (zone_data.cc).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/result.h"
#include "mta/base/time.h"

namespace postproof::sim {

struct ZoneEntry {
  std::uint32_t line = 0;  // of the text, from 1: where the entry begins
  std::string owner;       // as written, or the one before; "@" and relative names stay
  std::uint32_t ttl = 0;   // seconds
  std::string data;        // type and data: "MX 10 mx1.dest.example."
  std::string origin;      // that relative names are below; empty while no $ORIGIN has been given
};

// The error's text is "line N: ...".
Result<std::vector<ZoneEntry>> read_zone_text(std::string_view text, Duration default_ttl);

}  // namespace postproof::sim
