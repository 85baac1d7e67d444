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
  Way way(const world::Host* from, const world::Host* to) const;
  bool is_parted(const world::Host& from, const world::Host* to) const;
  // The strongest fault that there is for this host at this port and address.
  HostFault fault(const world::Host& host, std::uint16_t port, const IpAddress& address) const;
  HostFault fault_of_dial(const world::Connection& connection) const;
  bool is_held(const world::Connection& connection, Side from) const;
  void ways_changed();
  // How much later than its latency a packet arrives that may be lost and sent again: each time that it is
  // sent again, counted from now. The last of these gets through.
  std::vector<Duration> resendings(const Way& way);
  Duration draw_jitter(const Way& way);
  bool draw_loss(const Way& way);
  std::optional<CutBehind> ask_taps(const Crossing& crossing) const;

  // Tells the onlookers; nothing is built, and nothing told, where there are none or the hosts are one.
  void tell_passage(Passage::What what, const world::Host* from, const world::Host* to, std::uint16_t port,
                    std::optional<std::uint16_t> other_port = {});
  void tell_passage(Passage::What what, const world::Connection& connection, Side from);

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

  using FromTo = std::pair<std::string, std::string>;

  struct FaultSetting {
    std::string node;
    std::optional<std::uint16_t> port;
    std::optional<IpAddress> address;
    HostFault fault;
  };

  world::Core& core;
  Way default_way;
  std::map<std::uint64_t, WayChange> ways;  // by id, which is their order
  std::map<FromTo, unsigned> parted;        // how often
  std::vector<FaultSetting> faults;
  std::map<ConnectionId, std::shared_ptr<world::Connection>> open;
  std::map<std::uint64_t, Tap> taps;
  std::map<std::uint64_t, Onlooker> onlookers;
  std::uint64_t last_setting = 0;
  ConnectionId last_id = 0;
  std::unique_ptr<Random> jitter, loss;  // made when first drawn from
};

}  // namespace postproof::sim
