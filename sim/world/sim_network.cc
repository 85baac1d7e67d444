#include "sim/world/sim_network.h"

#include <algorithm>

#include "sim/world/host.h"
#include "sim/world/network_impl.h"
#include "sim/world/sim_datagram.h"

namespace postproof::sim {

using world::Connection;
using world::Host;
using world::Life;

namespace {

// What a host sends to itself never leaves it.
constexpr Duration kLoopbackLatency = std::chrono::microseconds{10};

int strength(HostFault fault) {
  switch (fault) {
    case HostFault::none: return 0;
    case HostFault::silent: return 1;
    case HostFault::refuse: return 2;
    case HostFault::unreachable: return 3;
    case HostFault::blackhole: break;
  }
  return 4;
}

}  // namespace

SimNetwork::SimNetwork(World& world) : impl_(std::make_unique<Impl>(world.core())) {}
SimNetwork::~SimNetwork() = default;

// --- Settings ---

void SimNetwork::set_default_latency(Duration latency) { impl_->default_latency = latency; }

void SimNetwork::set_latency(std::string_view node_a, std::string_view node_b, Duration latency) {
  impl_->latencies[Impl::pair(node_a, node_b)] = latency;
}

void SimNetwork::set_default_segment(std::size_t octets) { impl_->default_segment = octets; }

void SimNetwork::set_segment(std::string_view node, std::size_t octets) { impl_->segments[std::string(node)] = octets; }

void SimNetwork::set_fault(std::string_view node, HostFault fault, std::optional<std::uint16_t> port,
                           std::optional<IpAddress> address) {
  std::erase_if(impl_->faults, [&](const Impl::FaultSetting& setting) {
    return setting.node == node && setting.port == port && setting.address == address;
  });
  if (fault != HostFault::none) impl_->faults.push_back({std::string(node), port, address, fault});
  impl_->ways_changed();
}

void SimNetwork::partition(std::string_view node_a, std::string_view node_b, bool parted) {
  if (parted) {
    impl_->parted.insert(Impl::pair(node_a, node_b));
  } else {
    impl_->parted.erase(Impl::pair(node_a, node_b));
  }
  impl_->ways_changed();
}

void SimNetwork::reset_connections(std::string_view node) {
  for (const auto& connection : impl_->connections()) {
    for (const Side side : {Side::opener, Side::acceptor}) {
      const Host* host = connection->host(side);
      if (host == nullptr || host->name != node) continue;
      connection->cut_from_outside();
      break;
    }
  }
}

std::size_t SimNetwork::open_connections() const { return impl_->open.size(); }

std::size_t SimNetwork::open_connections(std::string_view node) const {
  return static_cast<std::size_t>(std::count_if(impl_->open.begin(), impl_->open.end(), [&](const auto& entry) {
    const Host* to = entry.second->host(Side::acceptor);
    return entry.second->host(Side::opener)->name == node || (to != nullptr && to->name == node);
  }));
}

std::size_t SimNetwork::adrift_connections() const {
  return static_cast<std::size_t>(
      std::count_if(impl_->open.begin(), impl_->open.end(), [](const auto& entry) { return entry.second->adrift(); }));
}

std::string SimNetwork::describe_connections() const {
  std::string text;
  for (const auto& [id, connection] : impl_->open) text += connection->describe() + "\n";
  return text;
}

// --- The way between two hosts ---

SimNetwork::Impl::Pair SimNetwork::Impl::pair(std::string_view a, std::string_view b) {
  return a < b ? Pair(a, b) : Pair(b, a);
}

Duration SimNetwork::Impl::latency(const Host& from, const Host* to) const {
  if (to == &from) return kLoopbackLatency;
  if (to != nullptr && !latencies.empty()) {
    const auto at = latencies.find(pair(from.name, to->name));
    if (at != latencies.end()) return at->second;
  }
  return default_latency;
}

std::size_t SimNetwork::Impl::segment(const Host& sender) const {
  const auto at = segments.find(sender.name);
  return at == segments.end() ? default_segment : at->second;
}

bool SimNetwork::Impl::is_parted(const Host& a, const Host* b) const {
  return !parted.empty() && b != nullptr && parted.contains(pair(a.name, b->name));
}

HostFault SimNetwork::Impl::fault(const Host& host, std::uint16_t port, const IpAddress& address) const {
  HostFault strongest = HostFault::none;
  for (const FaultSetting& setting : faults) {
    if (setting.node != host.name) continue;
    if (setting.port && *setting.port != port) continue;
    if (setting.address && *setting.address != address) continue;
    if (strength(setting.fault) > strength(strongest)) strongest = setting.fault;
  }
  return strongest;
}

HostFault SimNetwork::Impl::fault_of_dial(const Connection& connection) const {
  const Host& from = *connection.host(Side::opener);
  const Host& to = *connection.host(Side::acceptor);
  const Endpoint& at = connection.endpoint(Side::acceptor);
  if (faults.empty() || &from == &to || at.kind() != Endpoint::Kind::ip) return HostFault::none;
  // A host that nobody reaches gets no answers to what it dials either.
  const HostFault of_opener = fault(from, at.port(), connection.endpoint(Side::opener).address());
  if (of_opener == HostFault::unreachable) return of_opener;
  return fault(to, at.port(), at.address());
}

bool SimNetwork::Impl::is_held(const Connection& connection) const {
  const Host& from = *connection.host(Side::opener);
  const Host* to = connection.host(Side::acceptor);
  if (&from == to) return false;
  if (is_parted(from, to)) return true;
  if (faults.empty()) return false;
  const std::uint16_t port = connection.endpoint(Side::acceptor).port();
  const auto holds = [&](HostFault fault) {
    return fault == HostFault::blackhole ||
           (fault == HostFault::unreachable && connection.phase() != Connection::Phase::dialing);
  };
  return holds(fault(from, port, connection.endpoint(Side::opener).address())) ||
         (to != nullptr && holds(fault(*to, port, connection.endpoint(Side::acceptor).address())));
}

void SimNetwork::Impl::ways_changed() {
  for (const auto& connection : connections()) connection->way_changed();
}

// --- What crosses it ---

Host* SimNetwork::Impl::host_of(Life& asking, const Endpoint& at) const {
  if (at.kind() == Endpoint::Kind::unix_path || at.address().is_loopback()) return &asking.host();
  const Node* node = core.find(at.address());
  return node == nullptr ? nullptr : &node->host();
}

// One port after the other, which reads well in a transcript; once around, those in use are left out.
Endpoint SimNetwork::Impl::next_port(Host& host, const IpAddress& from, const Endpoint& to) const {
  for (;;) {
    const std::uint64_t number = host.ports_given++;
    const Endpoint local(from, static_cast<std::uint16_t>(world::kFirstDynamicPort + number % world::kDynamicPorts));
    const auto same = [&](const auto& entry) {
      return entry.second->endpoint(Side::opener) == local && entry.second->endpoint(Side::acceptor) == to;
    };
    if (number < world::kDynamicPorts || std::none_of(open.begin(), open.end(), same)) return local;
  }
}

std::shared_ptr<Connection> SimNetwork::Impl::dial(Life& opener, Endpoint from, Endpoint to) {
  Host& host = opener.host();
  if (from.kind() == Endpoint::Kind::ip) from = next_port(host, from.address(), to);
  Host* to_host = host_of(opener, to);
  const ConnectionId id = ++last_id;
  core.add(record::Dial{id, host.name, to_host == nullptr ? std::string() : to_host->name, from, to});
  auto connection = std::make_shared<Connection>(core, id, opener, std::move(from), to_host, std::move(to));
  open.emplace(id, connection);
  connection->dial();
  return connection;
}

bool SimNetwork::Impl::loses(const Host& sender, const Host* to_host, const Endpoint& from, const Endpoint& to) const {
  if (to_host == nullptr) return true;
  if (to_host == &sender) return false;
  if (is_parted(sender, to_host)) return true;
  if (faults.empty()) return false;
  // A fault of a port is one of its service: of what is asked there, and of what is answered from there.
  for (const std::uint16_t port : {to.port(), from.port()}) {
    for (const HostFault at : {fault(sender, port, from.address()), fault(*to_host, port, to.address())}) {
      if (at == HostFault::blackhole || at == HostFault::unreachable) return true;
    }
  }
  return false;
}

void SimNetwork::Impl::send_datagram(Life& sender, Endpoint from, Endpoint to, std::string octets) {
  Host& host = sender.host();
  Host* to_host = host_of(sender, to);
  const bool lost = loses(host, to_host, from, to);
  core.add(record::Datagram{host.name, to_host == nullptr ? std::string() : to_host->name, from, to, octets, lost});
  if (lost) return;
  auto under_way =
      std::make_unique<UnderWay>(&host, to_host, std::move(from), std::move(to), std::move(octets), core.last_record());
  core.loop.at(core.loop.now() + latency(host, to_host),
               [this, datagram = std::move(under_way)] { datagram_arrives(*datagram); });
}

void SimNetwork::Impl::datagram_arrives(UnderWay& datagram) {
  Host& host = *datagram.to_host;
  if (!loses(*datagram.from_host, &host, datagram.from, datagram.to) && !host.lives.empty()) {
    const auto socket = host.lives.back()->network().datagram(datagram.to);
    if (socket && socket->arrive({std::move(datagram.from), std::move(datagram.octets)})) return;
  }
  core.set_lost(datagram.record);
}

void SimNetwork::Impl::end_life(Life& life) {
  life.network().close_all();
  for (const auto& connection : connections()) {
    for (const Side side : {Side::opener, Side::acceptor}) {
      const bool held_by_host = connection->life(side) == nullptr && connection->host(side) == &life.host() &&
                                connection->phase() == Connection::Phase::established;
      if (connection->life(side) == &life || held_by_host) connection->cut(side);
    }
  }
}

std::vector<std::shared_ptr<Connection>> SimNetwork::Impl::connections() const {
  std::vector<std::shared_ptr<Connection>> all;
  all.reserve(open.size());
  for (const auto& [id, connection] : open) all.push_back(connection);
  return all;
}

}  // namespace postproof::sim
