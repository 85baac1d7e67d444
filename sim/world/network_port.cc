#include "sim/world/network_port.h"

#include <utility>

#include <fmt/format.h>

#include "sim/world/host.h"
#include "sim/world/network_impl.h"
#include "sim/world/sim_datagram.h"
#include "sim/world/sim_listener.h"
#include "sim/world/sim_stream.h"

namespace postproof::sim::world {

namespace {

std::unexpected<Error> failed(std::string_view doing, const Endpoint& what, Errc why) {
  return fail(why, fmt::format("{} {}: {}", doing, what.to_string(), to_string(why)));
}

std::unexpected<Error> out_of_descriptors(std::string_view doing, const Endpoint& what) {
  return fail(Errc::io, fmt::format("{} {}: too many open files", doing, what.to_string()));
}

IpAddress any_address(const IpAddress& like) { return like.is_v4() ? IpAddress() : IpAddress::v6({}); }

// The same port at the address itself, or at any address of its family.
template <class Table>
auto find_taker(const Table& table, const Endpoint& at) -> typename Table::mapped_type {
  auto found = table.find(at);
  if (found == table.end() && at.kind() == Endpoint::Kind::ip) {
    found = table.find(Endpoint(any_address(at.address()), at.port()));
  }
  return found == table.end() ? nullptr : found->second;
}

// Whether two sockets cannot both be: the same port, and the same address or one of them any address.
template <class Table>
bool is_taken(const Table& table, const Endpoint& at) {
  if (at.kind() != Endpoint::Kind::ip) return table.contains(at);
  for (const auto& [other, state] : table) {
    if (other.kind() != Endpoint::Kind::ip || other.port() != at.port()) continue;
    if (other.address().is_v4() != at.address().is_v4()) continue;
    if (other.address() == at.address() || other.address().is_unspecified() || at.address().is_unspecified()) {
      return true;
    }
  }
  return false;
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> NetworkPort::connect(Endpoint to, std::optional<IpAddress> from,
                                                           Deadline deadline) {
  Life& life = life_;
  if (life.gone()) {
    co_await turn(life);
    co_return failed("connect", to, Errc::closed);
  }
  Result<Endpoint> local = source(to, from, 0);
  if (!local) {
    co_await turn(life);
    co_return fail("connect " + to.to_string(), std::move(local.error()));
  }
  if (life.out_of_descriptors()) {
    co_await turn(life);
    co_return out_of_descriptors("connect", to);
  }
  const Life::Descriptor socket(life);
  const auto connection = life.host().core.network->impl().dial(life, std::move(*local), to);
  while (connection->phase() == Connection::Phase::dialing) {
    const Woken woken = co_await connection->readable(Side::opener).wait(deadline);
    if (woken == Woken::notified || connection->phase() != Connection::Phase::dialing) continue;
    connection->abandon(woken == Woken::deadline ? "timed out" : "closed");
    co_return failed("connect", to, woken == Woken::deadline ? Errc::timed_out : Errc::closed);
  }
  if (life.gone()) co_return failed("connect", to, Errc::closed);
  if (connection->phase() == Connection::Phase::refused) co_return failed("connect", to, connection->refusal());
  co_return std::make_unique<SimStream>(life, connection, Side::opener);
}

Result<std::unique_ptr<Listener>> NetworkPort::listen(const Endpoint& at) {
  if (life_.gone()) return failed("listen at", at, Errc::closed);
  if (life_.out_of_descriptors()) return out_of_descriptors("listen at", at);
  Endpoint local = at;
  if (at.kind() == Endpoint::Kind::inherited) return failed("listen at", at, Errc::invalid);
  if (at.kind() == Endpoint::Kind::ip) {
    if (!at.address().is_unspecified() && !is_local(at.address())) return failed("listen at", at, Errc::invalid);
    if (at.port() == 0) {
      const auto port = free_port(at);
      if (!port) return failed("listen at", at, Errc::in_use);
      local = Endpoint(at.address(), *port);
    }
  }
  if (is_taken(listeners_, local)) return failed("listen at", at, Errc::in_use);
  auto state = std::make_shared<ListenerState>(life_, local);
  listeners_.emplace(std::move(local), state);
  return std::make_unique<SimListener>(std::move(state));
}

Result<std::unique_ptr<Datagram>> NetworkPort::open_datagram(const Endpoint& at) {
  if (life_.gone()) return failed("open datagram socket at", at, Errc::closed);
  if (life_.out_of_descriptors()) return out_of_descriptors("open datagram socket at", at);
  if (at.kind() != Endpoint::Kind::ip || (!at.address().is_unspecified() && !is_local(at.address()))) {
    return failed("open datagram socket at", at, Errc::invalid);
  }
  Endpoint local = at;
  if (at.port() == 0) {
    const auto port = free_port(at);
    if (!port) return failed("open datagram socket at", at, Errc::in_use);
    local = Endpoint(at.address(), *port);
  }
  if (is_taken(datagrams_, local)) return failed("open datagram socket at", at, Errc::in_use);
  auto state = std::make_shared<DatagramState>(life_, local);
  datagrams_.emplace(std::move(local), state);
  return std::make_unique<SimDatagram>(std::move(state));
}

std::shared_ptr<ListenerState> NetworkPort::listener(const Endpoint& at) const { return find_taker(listeners_, at); }

std::shared_ptr<DatagramState> NetworkPort::datagram(const Endpoint& at) const { return find_taker(datagrams_, at); }

void NetworkPort::forget(const ListenerState& listener) { listeners_.erase(listener.local()); }

void NetworkPort::forget(const DatagramState& socket) { datagrams_.erase(socket.local()); }

void NetworkPort::close_all() {
  while (!listeners_.empty()) {
    const auto listener = listeners_.begin()->second;  // close() takes it out of the table
    listener->close();
  }
  while (!datagrams_.empty()) {
    const auto socket = datagrams_.begin()->second;
    socket->close();
  }
}

Result<Endpoint> NetworkPort::source(const Endpoint& to, std::optional<IpAddress> from, std::uint16_t port) const {
  if (to.kind() == Endpoint::Kind::unix_path) return to;
  if (to.kind() != Endpoint::Kind::ip) return fail(Errc::invalid, "not an address that can be dialed");
  const IpAddress& address = to.address();
  if (from && !from->is_unspecified()) {
    if (!is_local(*from)) return fail(Errc::invalid, from->to_string() + " is no address of this host");
    if (from->is_v4() == address.is_v4()) return Endpoint(*from, port);
  } else if (from && from->is_v4() != address.is_v4()) {
    return fail(Errc::unreachable, "the socket is of the other address family");
  } else if (address.is_loopback()) {
    return Endpoint(address, port);
  } else {
    for (const IpAddress& own : life_.host().addresses) {
      if (own.is_v4() == address.is_v4()) return Endpoint(own, port);
    }
  }
  return fail(Errc::unreachable, "no address of its family here");
}

bool NetworkPort::is_local(const IpAddress& address) const {
  return address.is_loopback() || life_.host().has_address(address);
}

std::optional<std::uint16_t> NetworkPort::free_port(const Endpoint& at) {
  Host& host = life_.host();
  for (std::uint64_t tries = 0; tries < kDynamicPorts * 4; ++tries) {
    const auto port = static_cast<std::uint16_t>(kFirstDynamicPort + host.random_ports->below(kDynamicPorts));
    const Endpoint candidate(at.address(), port);
    if (!is_taken(listeners_, candidate) && !is_taken(datagrams_, candidate)) return port;
  }
  return std::nullopt;
}

}  // namespace postproof::sim::world
