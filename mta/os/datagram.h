// UDP sockets.
#pragma once

#include <memory>

#include "mta/env/network.h"
#include "mta/os/core.h"

namespace postproof::os {

Result<std::unique_ptr<Datagram>> open_datagram_socket(Core& core, const Endpoint& local);

}  // namespace postproof::os
