#include "mta/os/sockaddr.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace postproof::os {

std::optional<SocketAddress> to_socket_address(const Endpoint& endpoint) {
  SocketAddress address;
  switch (endpoint.kind()) {
    case Endpoint::Kind::inherited: return std::nullopt;
    case Endpoint::Kind::unix_path: {
      auto* un = reinterpret_cast<sockaddr_un*>(&address.storage);
      if (endpoint.path().empty() || endpoint.path().size() >= sizeof un->sun_path) return std::nullopt;
      un->sun_family = AF_UNIX;
      std::memcpy(un->sun_path, endpoint.path().c_str(), endpoint.path().size() + 1);
      address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + endpoint.path().size() + 1);
      return address;
    }
    case Endpoint::Kind::ip: break;
  }
  const std::string_view octets = endpoint.address().octets();
  if (endpoint.address().is_v4()) {
    auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(endpoint.port());
    std::memcpy(&in->sin_addr, octets.data(), octets.size());
    address.size = sizeof *in;
  } else {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(endpoint.port());
    std::memcpy(&in6->sin6_addr, octets.data(), octets.size());
    address.size = sizeof *in6;
  }
  return address;
}

Endpoint to_endpoint(const SocketAddress& address) {
  switch (address.storage.ss_family) {
    case AF_INET: {
      const auto* in = reinterpret_cast<const sockaddr_in*>(&address.storage);
      std::array<std::uint8_t, 4> octets;
      std::memcpy(octets.data(), &in->sin_addr, octets.size());
      return Endpoint(IpAddress::v4(octets), ntohs(in->sin_port));
    }
    case AF_INET6: {
      const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
      std::array<std::uint8_t, 16> octets;
      std::memcpy(octets.data(), &in6->sin6_addr, octets.size());
      if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        return Endpoint(IpAddress::v4({octets[12], octets[13], octets[14], octets[15]}), ntohs(in6->sin6_port));
      }
      return Endpoint(IpAddress::v6(octets), ntohs(in6->sin6_port));
    }
    case AF_UNIX: {
      const auto* un = reinterpret_cast<const sockaddr_un*>(&address.storage);
      const std::size_t head = offsetof(sockaddr_un, sun_path);
      if (address.size <= head) return Endpoint::unix_path("");
      return Endpoint::unix_path(std::string(un->sun_path, strnlen(un->sun_path, address.size - head)));
    }
    default: return Endpoint();
  }
}

Endpoint local_endpoint(int descriptor) {
  SocketAddress address;
  if (getsockname(descriptor, address.get(), &address.size) != 0) return Endpoint();
  return to_endpoint(address);
}

}  // namespace postproof::os
