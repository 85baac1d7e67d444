// Where a client of a scenario dials.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.h"

namespace postproof::sim {

// The endpoint of `to`, an MTA or a peer by name or an endpoint's text, for a host that has these addresses. None:
// they have no address family in common.
std::optional<Endpoint> reach(const Scenario& scenario, const std::vector<IpAddress>& from, std::string_view to,
                              std::uint16_t port);

// Which port of the MTA submissions go to: that of its first IP listener.
std::uint16_t submission_port(const Config& config);

// Of the addresses, the one to dial this endpoint from: the first of its family, else the first.
IpAddress source_address(const std::vector<IpAddress>& addresses, const Endpoint& to);

}  // namespace postproof::sim
