#include "mta/smtp/client_networks.h"

#include <algorithm>

namespace postproof::smtp {

bool is_within(const Endpoint& client, const std::vector<IpNetwork>& networks) {
  if (client.kind() != Endpoint::Kind::ip) return false;
  return std::ranges::any_of(networks, [&](const IpNetwork& network) { return network.contains(client.address()); });
}

}  // namespace postproof::smtp
