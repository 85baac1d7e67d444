#include "sim/serve/wire_log.h"

#include <algorithm>

namespace postproof::sim {

namespace {

template <class Part>
const Part* find_host(const std::vector<Part>& parts, const IpAddress& address) {
  for (const Part& part : parts) {
    if (std::ranges::find(part.addresses, address) != part.addresses.end()) return &part;
  }
  return nullptr;
}

}  // namespace

std::string WireLog::node_at(const IpAddress& address) const {
  const Scenario& scenario = placed_.scenario;
  if (const MtaPart* part = find_host(scenario.mtas, address)) return part->name;
  if (const ClientPart* part = find_host(scenario.clients, address)) return part->name;
  if (is_submit_host(address)) return std::string(kSubmitHost);
  // Nothing but an MTA and the clients dials: where a route leaves the source open, that is the address dialed.
  if (scenario.mtas.size() == 1) return scenario.mtas.front().name;
  return address.to_string();
}

bool WireLog::is_submit_host(const IpAddress& address) const {
  return std::ranges::find(placed_.submit_hosts, address) != placed_.submit_hosts.end();
}

bool WireLog::is_client(const IpAddress& address) const {
  return is_submit_host(address) || find_host(placed_.scenario.clients, address) != nullptr;
}

bool WireLog::is_peer(const IpAddress& address) const {
  return address == placed_.resolver.address() || find_host(placed_.scenario.peers, address) != nullptr;
}

bool WireLog::far_is_ours(Side near, const IpAddress& far) const {
  return near == Side::opener ? is_peer(far) : is_client(far);
}

ConnectionId WireLog::begin(const std::string& from_node, const Endpoint& from, const std::string& to_node,
                            const Endpoint& to) {
  const ConnectionId id = next_++;
  recorder_.add(record::Dial{id, from_node, to_node, from, to});
  return id;
}

WireLog::Line WireLog::opened(const std::string& node, const Endpoint& from, const Endpoint& to) {
  ++open_;
  ++ends_;
  if (const auto half = half_.find({from, to}); half != half_.end()) {
    const ConnectionId id = half->second;
    half_.erase(half);
    return {id, true};
  }
  const PeerPart* peer = find_host(placed_.scenario.peers, to.address());
  const ConnectionId id = begin(node, from, peer != nullptr ? peer->name : node_at(to.address()), to);
  recorder_.add(record::Established{id});
  if (far_is_ours(Side::opener, to.address())) half_[{from, to}] = id;
  return {id, true};
}

WireLog::Line WireLog::accepted(const std::string& node, const Endpoint& from, const Endpoint& to) {
  ++ends_;
  const bool ours = far_is_ours(Side::acceptor, from.address());
  if (const auto half = half_.find({from, to}); half != half_.end()) {
    const ConnectionId id = half->second;
    half_.erase(half);
    return {id, false};
  }
  if (!ours) ++open_;
  const ConnectionId id = begin(node_at(from.address()), from, node, to);
  recorder_.add(record::Established{id});
  if (ours) half_[{from, to}] = id;
  return {id, !ours};
}

void WireLog::refused(const std::string& node, const Endpoint& from, const Endpoint& to, std::string reason) {
  const PeerPart* peer = find_host(placed_.scenario.peers, to.address());
  const ConnectionId id = begin(node, from, peer != nullptr ? peer->name : node_at(to.address()), to);
  recorder_.add(record::Refused{id, std::move(reason)});
}

void WireLog::closed(const Line& line) {
  --ends_;
  if (line.records) --open_;
}

}  // namespace postproof::sim
