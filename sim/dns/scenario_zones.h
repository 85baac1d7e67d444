// What a scenario's resolver answers from: its [dns], and the names and addresses of its hosts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mta/base/result.h"
#include "sim/dns/dns_fault.h"
#include "sim/dns/zone_data.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

// The error is that of the zone's text, which is then left out; the rest is in `zones` all the same.
Result<void> add_scenario(const Scenario& scenario, ZoneData& zones);

// A fault of an [[at]], kind dns.*, as the resolver takes it. None: a kind that it does not know.
std::optional<DnsFault> dns_fault_of(const Fault& fault, std::uint32_t line);

// For the recording: "removes dest.example MX, sets mx1.dest.example A".
std::string describe(const ZoneChange& change);

// Those of `bogus`, `servfail` and `timeout`, which last from beginning to end.
std::vector<DnsFault> standing_dns_faults(const DnsPart& dns);

}  // namespace postproof::sim
