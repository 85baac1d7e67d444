#include "mta/os/sockaddr.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

namespace postproof::os {
namespace {

TEST_CASE("endpoints survive the way to a socket address and back") {
  for (const std::string_view text :
       {"0.0.0.0:0", "192.0.2.1:25", "[::1]:65535", "[2001:db8::ff]:2525", "unix:/run/x"}) {
    const Endpoint endpoint = *Endpoint::parse(text);
    const auto address = to_socket_address(endpoint);
    REQUIRE(address.has_value());
    CHECK(to_endpoint(*address) == endpoint);
  }
}

TEST_CASE("an IPv4-mapped address is the IPv4 address that it stands for") {
  const auto address = to_socket_address(*Endpoint::parse("[::ffff:192.0.2.9]:25"));
  REQUIRE(address.has_value());
  CHECK(address->storage.ss_family == AF_INET6);
  CHECK(to_endpoint(*address) == *Endpoint::parse("192.0.2.9:25"));
}

TEST_CASE("what has no socket address") {
  CHECK(!to_socket_address(Endpoint::inherited(3)).has_value());
  CHECK(!to_socket_address(Endpoint::unix_path("")).has_value());
  CHECK(to_socket_address(Endpoint::unix_path(std::string(107, 'x'))).has_value());
  CHECK(!to_socket_address(Endpoint::unix_path(std::string(108, 'x'))).has_value());
  SocketAddress unnamed;
  unnamed.storage.ss_family = AF_UNIX;
  unnamed.size = sizeof(sa_family_t);
  CHECK(to_endpoint(unnamed) == Endpoint::unix_path(""));
}

}  // namespace
}  // namespace postproof::os
