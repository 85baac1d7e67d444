// The inside of a World, for the other parts of this folder.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/execution_context.hpp>

#include "sim/recording/recorder.h"
#include "sim/world/loop.h"
#include "sim/world/node.h"
#include "sim/world/sim_network.h"
#include "sim/world/sim_random.h"
#include "sim/world/tls_library.h"
#include "sim/world/world.h"

namespace postproof::sim::world {

struct Core {
  Core(World& owner, WorldSettings of_the_world, Recording& recording);

  // Nothing is recorded any more once the world is being taken down.
  template <class What>
  void add(What what) {
    if (!shut_down) recorder.add(std::move(what));
  }
  // The index of the record that was just added, for what is known of it only later.
  std::size_t last_record() { return recorder.recording().records.size() - 1; }
  // Of Octets or Plain.
  void set_arrival(std::size_t record, std::optional<Duration> arrives);
  void set_lost(std::size_t datagram_record);

  Node* find(const IpAddress& address) const;

  World& world;
  WorldSettings settings;
  Loop loop;
  boost::asio::execution_context context;
  Recorder recorder;
  SimEntropy entropy;
  std::shared_ptr<TlsLibrary> tls;
  std::vector<std::unique_ptr<Node>> nodes;
  std::map<std::string, Node*, std::less<>> by_name;
  std::map<IpAddress, Node*> by_address;
  std::optional<SimNetwork> network;  // always there; made last
  std::vector<std::string> stuck;     // nodes whose program did not end
  bool running = false;
  bool shut_down = false;
};

}  // namespace postproof::sim::world
