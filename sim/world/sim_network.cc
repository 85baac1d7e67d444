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

// RFC 6298 sections 2 and 5.5: before anything is known of the round trip; doubled each time; the upper bound.
constexpr Duration kFirstResending = std::chrono::seconds{1};
constexpr Duration kResendingMax = std::chrono::seconds{60};

int strength(HostFault fault) {
  switch (fault) {
    case HostFault::none: return 0;
    case HostFault::silent: return 1;
    case HostFault::backlog: return 2;
    case HostFault::refuse: return 3;
    case HostFault::unreachable: return 4;
    case HostFault::blackhole: break;
  }
  return 5;
}

}  // namespace

SimNetwork::SimNetwork(World& world) : impl_(std::make_unique<Impl>(world.core())) {}
SimNetwork::~SimNetwork() = default;

// --- Settings ---

void SimNetwork::set_default_way(const Way& way) {
  impl_->default_way = way;
  impl_->ways_changed();
}

std::uint64_t SimNetwork::add_way(WayChange change) {
  impl_->ways.emplace(++impl_->last_setting, std::move(change));
  impl_->ways_changed();
  return impl_->last_setting;
}

void SimNetwork::remove_way(std::uint64_t id) {
  impl_->ways.erase(id);
  impl_->ways_changed();
}

void SimNetwork::set_default_latency(Duration latency) {
  impl_->default_way.latency = latency;
  impl_->ways_changed();
}

void SimNetwork::set_default_segment(std::size_t octets) {
  impl_->default_way.segment = octets;
  impl_->ways_changed();
}

void SimNetwork::set_latency(std::string_view node_a, std::string_view node_b, Duration latency) {
  WayChange there;
  there.from = node_a;
  there.to = node_b;
  there.latency = latency;
  WayChange back = there;
  std::swap(back.from, back.to);
  add_way(std::move(there));
  add_way(std::move(back));
}

void SimNetwork::set_segment(std::string_view node, std::size_t octets) {
  WayChange change;
  change.from = node;
  change.segment = octets;
  add_way(std::move(change));
}

void SimNetwork::set_fault(std::string_view node, HostFault fault, std::optional<std::uint16_t> port,
                           std::optional<IpAddress> address) {
  std::erase_if(impl_->faults, [&](const Impl::FaultSetting& setting) {
    return setting.node == node && setting.port == port && setting.address == address;
  });
  if (fault != HostFault::none) impl_->faults.push_back({std::string(node), port, address, fault});
  impl_->ways_changed();
}

void SimNetwork::partition(std::string_view node_a, std::string_view node_b, bool parted) {
  partition_one_way(node_a, node_b, parted);
  partition_one_way(node_b, node_a, parted);
}

void SimNetwork::partition_one_way(std::string_view from, std::string_view to, bool parted) {
  const Impl::FromTo way(from, to);
  if (parted) {
    ++impl_->parted[way];
  } else if (const auto at = impl_->parted.find(way); at != impl_->parted.end() && --at->second == 0) {
    impl_->parted.erase(at);
  }
  impl_->ways_changed();
}

std::uint64_t SimNetwork::add_tap(Tap tap) {
  impl_->taps.emplace(++impl_->last_setting, std::move(tap));
  return impl_->last_setting;
}

void SimNetwork::remove_tap(std::uint64_t id) { impl_->taps.erase(id); }

std::uint64_t SimNetwork::add_onlooker(Onlooker onlooker) {
  impl_->onlookers.emplace(++impl_->last_setting, std::move(onlooker));
  return impl_->last_setting;
}

void SimNetwork::remove_onlooker(std::uint64_t id) { impl_->onlookers.erase(id); }

void SimNetwork::ask(const Tap& tap) {
  for (const auto& connection : impl_->connections()) {
    for (const Side from : {Side::opener, Side::acceptor}) {
      if (!connection->can_be_cut(from)) continue;
      if (const auto cut = tap(connection->crossing(from, {}))) connection->cut_behind(from, cut->cut);
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

Way SimNetwork::Impl::way(const Host* from, const Host* to) const {
  Way way;
  if (from == to) {
    way.latency = kLoopbackLatency;
    return way;
  }
  way = default_way;
  if (from == nullptr || to == nullptr) return way;
  for (const auto& [id, change] : ways) {
    if (!change.from.empty() && change.from != from->name) continue;
    if (!change.to.empty() && change.to != to->name) continue;
    change.apply(way);
  }
  return way;
}

bool SimNetwork::Impl::is_parted(const Host& from, const Host* to) const {
  return !parted.empty() && to != nullptr && parted.contains(FromTo(from.name, to->name));
}

Duration SimNetwork::Impl::draw_jitter(const Way& way) {
  if (way.jitter <= Duration{0}) return {};
  if (!jitter) jitter = core.entropy.stream("world.jitter");
  return Duration(static_cast<Duration::rep>(jitter->below(static_cast<std::uint64_t>(way.jitter.count()) + 1)));
}

bool SimNetwork::Impl::draw_loss(const Way& way) {
  if (way.loss <= 0) return false;
  if (!loss) loss = core.entropy.stream("world.loss");
  // In millionths, so that nothing hangs on how a number is rounded.
  return loss->below(1'000'000) < static_cast<std::uint64_t>(way.loss * 1'000'000 + 0.5);
}

std::vector<Duration> SimNetwork::Impl::resendings(const Way& way) {
  std::vector<Duration> times;
  Duration wait = kFirstResending;
  while (draw_loss(way)) {
    times.push_back((times.empty() ? Duration{0} : times.back()) + wait);
    wait = std::min(wait * 2, kResendingMax);
  }
  return times;
}

std::optional<CutBehind> SimNetwork::Impl::ask_taps(const Crossing& crossing) const {
  for (const auto& [id, tap] : taps) {
    if (const auto cut = tap(crossing)) return cut;
  }
  return std::nullopt;
}

void SimNetwork::Impl::tell_passage(Passage::What what, const Host* from, const Host* to, std::uint16_t port,
                                    std::optional<std::uint16_t> other_port) {
  if (onlookers.empty() || from == nullptr || to == nullptr || from == to) return;
  const Passage passage{what, from->name, to->name, port, other_port.value_or(port)};
  std::erase_if(onlookers, [&](const auto& onlooker) { return onlooker.second(passage); });
}

void SimNetwork::Impl::tell_passage(Passage::What what, const Connection& connection, Side from) {
  const Endpoint& at = connection.endpoint(Side::acceptor);
  if (onlookers.empty() || at.kind() != Endpoint::Kind::ip) return;
  tell_passage(what, connection.host(from), connection.host(world::other(from)), at.port());
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

bool SimNetwork::Impl::is_held(const Connection& connection, Side sender) const {
  const Host& from = *connection.host(Side::opener);
  const Host* to = connection.host(Side::acceptor);
  if (&from == to) return false;
  if (sender == Side::opener ? is_parted(from, to) : to != nullptr && is_parted(*to, &from)) return true;
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
  tell_passage(Passage::What::dial, *connection, Side::opener);
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
  const Way way = this->way(&host, to_host);
  if (to.kind() == Endpoint::Kind::ip) tell_passage(Passage::What::datagram, &host, to_host, to.port(), from.port());
  const bool lost = loses(host, to_host, from, to) || draw_loss(way);
  core.add(record::Datagram{host.name, to_host == nullptr ? std::string() : to_host->name, from, to, octets, lost});
  if (lost) return;
  auto under_way =
      std::make_unique<UnderWay>(&host, to_host, std::move(from), std::move(to), std::move(octets), core.last_record());
  const Duration arrives = core.loop.now() + way.latency + draw_jitter(way);
  core.loop.at(arrives, [this, datagram = std::move(under_way)] { datagram_arrives(*datagram); });
}

void SimNetwork::Impl::datagram_arrives(UnderWay& datagram) {
  Host& host = *datagram.to_host;
  if (datagram.to.kind() == Endpoint::Kind::ip) {
    tell_passage(Passage::What::datagram, datagram.from_host, &host, datagram.to.port(), datagram.from.port());
  }
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
