// Networks of clients, as settings name them.
#pragma once

#include <vector>

#include "mta/base/endpoint.h"

namespace postproof::smtp {

// False for a client that is not on IP.
bool is_within(const Endpoint& client, const std::vector<IpNetwork>& networks);

}  // namespace postproof::smtp
