// The simulated internet: virtual time, nodes, the network between them. One thread runs a world; many
// worlds may run side by side. The same settings and the same calls give the same run, event for event.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/endpoint.h"
#include "mta/base/time.h"
#include "mta/env/random.h"
#include "sim/recording/recorder.h"

namespace postproof::sim {

class Node;
class SimNetwork;

namespace world {
struct Core;
}

struct WorldSettings {
  std::uint64_t seed = 1;
  WallTime start = WallTime{std::chrono::seconds{1'767'225'600}};  // 2026-01-01T00:00:00Z
  std::uint64_t events_max = 10'000'000;
  std::uint64_t recording_max = 1 << 30;  // octets that the recording takes, more or less: see Recorder
};

class World {
 public:
  World(WorldSettings settings, Recording& recording);
  ~World();  // crashes the nodes that still run, and drains them
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Nodes live as long as the world; names and addresses are unique. The first address is the one that it dials from.
  Node& add_node(std::string name, std::vector<IpAddress> addresses);
  // A host without a name or an address, over a copy of what is on the disk of another now: to look at what a host
  // holds that cannot be asked. Its disk costs no time, and nothing of what it does is recorded.
  Node& add_onlooker(const Node& at);
  Node* find_node(std::string_view name);
  Node* find_node(const IpAddress& address);

  Duration now() const;  // virtual time since the start; what a node's monotonic clock reads
  Recorder& recorder();
  SimNetwork& network();
  // A named random stream of the world's own; each asking for one name gives another.
  std::unique_ptr<Random> random(std::string_view name);
  const WorldSettings& settings() const;

  // The world's own events: faults, submissions. Called from the loop, never from within a port call.
  void at(Duration when, std::move_only_function<void()> action);
  // As soon as the event that is being worked on has ended (how a port call asks for a crash).
  void after_this_event(std::move_only_function<void()> action);

  enum class Stopped : std::uint8_t {
    finished,  // the caller's predicate held
    idle,      // nothing can happen any more
    limit,     // virtual time has come to `limit`
    events,    // events_max: something runs in circles
    recording,  // recording_max: something says too much
    stuck,     // a crashed node's program did not end: stuck_nodes()
  };
  // Runs until one of these. `finished` is asked each time before virtual time moves on.
  Stopped run(Duration limit, const std::function<bool()>& finished);

  std::uint64_t events_run() const;
  std::size_t running_programs() const;
  // For "what was still pending": one line for each program that runs, with its next timer, and one for
  // each connection.
  std::string describe_pending() const;
  // Names of crashed nodes whose program did not end, in the order of their crashes.
  const std::vector<std::string>& stuck_nodes() const;

  // Crashes the nodes that still run and drains them, now; records nothing, and takes out again what
  // their programs record while they unwind. The destructor does it otherwise; after this only reading is left.
  void shut_down();

  // For the other parts of the world.
  world::Core& core() const { return *core_; }

 private:
  std::unique_ptr<world::Core> core_;
};

}  // namespace postproof::sim
