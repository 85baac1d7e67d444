#include "mta/os/network.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "mta/os/datagram.h"
#include "mta/os/errno_error.h"
#include "mta/os/listener.h"
#include "mta/os/sockaddr.h"
#include "mta/os/stream.h"

namespace postproof::os {

namespace {

// A socket for a connection to `to`, from the address wanted.
Result<int> outgoing_socket(const Endpoint& to, const std::optional<IpAddress>& from) {
  const std::string doing = "connect " + to.to_string();
  const bool ip = to.kind() == Endpoint::Kind::ip;
  const int family = !ip ? AF_UNIX : to.address().is_v4() ? AF_INET : AF_INET6;
  if (ip && from && from->is_v4() != to.address().is_v4()) {
    return fail(Errc::invalid, doing + ": from " + from->to_string() + ": the other address family");
  }
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return fail_socket(errno, doing);
  if (!ip) return descriptor;
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!from) return descriptor;
  // The port is drawn by connect, which knows the peer: otherwise each address has only one use of a port.
  setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const std::optional<SocketAddress> local = to_socket_address(Endpoint(*from, 0));
  if (bind(descriptor, local->get(), local->size) != 0) {
    const int number = errno;
    ::close(descriptor);
    return std::unexpected(bind_error(number, doing + ": from " + from->to_string()));
  }
  return descriptor;
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> OsNetwork::connect(Endpoint to, std::optional<IpAddress> from,
                                                         Deadline deadline) {
  if (core_.stopping || !to_socket_address(to)) {
    co_await through_executor();
    const std::string doing = "connect " + to.to_string();
    if (core_.stopping) co_return fail(Errc::closed, doing + ": closed");
    co_return fail(Errc::invalid, doing + ": not an address to connect to");
  }
  const Result<int> descriptor = outgoing_socket(to, from);
  if (!descriptor) {
    co_await through_executor();
    co_return std::unexpected(descriptor.error());
  }
  const int family = to.kind() != Endpoint::Kind::ip ? AF_UNIX : to.address().is_v4() ? AF_INET : AF_INET6;
  Result<std::shared_ptr<StreamSocket>> socket = StreamSocket::adopt(core_, *descriptor, family);
  if (!socket) {
    co_await through_executor();
    co_return fail("connect " + to.to_string(), std::move(socket.error()));
  }
  const Result<void> connected = co_await StreamSocket::connect(*socket, std::move(to), deadline);
  if (!connected) {
    (*socket)->abandon();
    co_return std::unexpected(connected.error());
  }
  co_return make_stream(std::move(*socket));
}

Result<std::unique_ptr<Listener>> OsNetwork::listen(const Endpoint& at) { return listen_socket(core_, at); }

Result<std::unique_ptr<Datagram>> OsNetwork::open_datagram(const Endpoint& local) {
  return open_datagram_socket(core_, local);
}

}  // namespace postproof::os
