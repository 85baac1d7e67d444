// Sockets that take connections: bound here, or inherited from whoever started the process.
#pragma once

#include <memory>

#include "mta/env/network.h"
#include "mta/os/core.h"

namespace postproof::os {

// A Unix path gets mode 0600, and is removed when the listener closes. If a socket is left there on which
// nobody listens any more (of a process that was killed), it is replaced.
Result<std::unique_ptr<Listener>> listen_socket(Core& core, const Endpoint& at);

}  // namespace postproof::os
