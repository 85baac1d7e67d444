// Which host has which IP address.
//
// The nth host of a file (from 1, MTAs, peers and clients counted together) draws 10.H.L.1 and, where it
// asks for "v6", 2001:db8:0:n::1, with n = 256 H + L: an address tells the host's place in the file, and adding a
// host at the end changes no other's. 10.0.0.0/24 and 2001:db8::/64 are the world's own.
#pragma once

#include <cstdint>

#include "mta/base/endpoint.h"

namespace postproof::sim {

inline constexpr std::size_t kHostsMax = 10'000;  // of one scenario

IpAddress drawn_v4(std::uint16_t place);
IpAddress drawn_v6(std::uint16_t place);
// Whether an address lies in one of these two.
bool is_worlds_own(const IpAddress& address);

}  // namespace postproof::sim
