// Endpoints as the socket calls take and give them.
#pragma once

#include <sys/socket.h>

#include <optional>

#include "mta/base/endpoint.h"

namespace postproof::os {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// None: an inherited descriptor, which has no address of its own, or a Unix path that is too long.
std::optional<SocketAddress> to_socket_address(const Endpoint& endpoint);

// IPv4-mapped IPv6 addresses, as a dual-stack socket that was inherited shows them, become IPv4, so that
// rules about networks see one form only. An unnamed Unix socket has the empty path.
Endpoint to_endpoint(const SocketAddress& address);

Endpoint local_endpoint(int descriptor);  // getsockname

}  // namespace postproof::os
