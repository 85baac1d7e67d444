// The inside of the SimNetwork, for the other parts of this folder.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/world/connection.h"
#include "sim/world/sim_network.h"

namespace postproof::sim {

struct SimNetwork::Impl {
  explicit Impl(world::Core& of_the_world) : core(of_the_world) {}

  // --- The way between two hosts; `to` is none when nobody has the address ---
  Duration latency(const world::Host& from, const world::Host* to) const;
  std::size_t segment(const world::Host& sender) const;
  bool is_parted(const world::Host& a, const world::Host* b) const;
  // The strongest fault that there is for this host at this port and address.
  HostFault fault(const world::Host& host, std::uint16_t port, const IpAddress& address) const;
  HostFault fault_of_dial(const world::Connection& connection) const;
  bool is_held(const world::Connection& connection) const;
  void ways_changed();

  // A datagram on its way.
  struct UnderWay {
    world::Host* from_host;
    world::Host* to_host;
    Endpoint from, to;
    std::string octets;
    std::size_t record;
  };

  Endpoint next_port(world::Host& host, const IpAddress& from, const Endpoint& to) const;
  std::shared_ptr<world::Connection> dial(world::Life& opener, Endpoint from, Endpoint to);
  void send_datagram(world::Life& sender, Endpoint from, Endpoint to, std::string octets);
  bool loses(const world::Host& sender, const world::Host* to_host, const Endpoint& from, const Endpoint& to) const;
  void datagram_arrives(UnderWay& datagram);
  world::Host* host_of(world::Life& asking, const Endpoint& at) const;
  void end_life(world::Life& life);
  // In order of their ids; a copy, because what is done with them may end some.
  std::vector<std::shared_ptr<world::Connection>> connections() const;

  using Pair = std::pair<std::string, std::string>;
  static Pair pair(std::string_view a, std::string_view b);

  struct FaultSetting {
    std::string node;
    std::optional<std::uint16_t> port;
    std::optional<IpAddress> address;
    HostFault fault;
  };

  world::Core& core;
  Duration default_latency = std::chrono::milliseconds{1};
  std::map<Pair, Duration> latencies;
  std::size_t default_segment = 0;
  std::map<std::string, std::size_t, std::less<>> segments;
  std::set<Pair> parted;
  std::vector<FaultSetting> faults;
  std::map<ConnectionId, std::shared_ptr<world::Connection>> open;
  ConnectionId last_id = 0;
};

}  // namespace postproof::sim
