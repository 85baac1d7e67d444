// The hosts of a run, in the order in which views put them side by side: mail flows from left to right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/recording/record.h"

namespace postproof::sim {

struct ViewHost {
  enum class Role : std::uint8_t { client, mta, peer, dns };  // in this order
  std::string name;
  Role role = Role::peer;
};

// Those that something is told of beyond their start: clients, MTAs under test, peers, DNS servers; within these by
// their first word.
std::vector<ViewHost> hosts_of(const Recording& recording);

// The host that a fault is told of: "mx1" of "mx1:25", "mx1 | mx2" and "sut write /spool/*"; none: of no host.
std::optional<std::size_t> host_of_fault(const std::vector<ViewHost>& hosts, std::string_view where);

}  // namespace postproof::sim
