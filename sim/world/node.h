// A host of the simulated internet: addresses, a disk that outlives crashes, and the program that runs on it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/env/env.h"
#include "sim/world/sim_disk.h"

namespace postproof::sim {

class World;

namespace world {
struct Core;
struct Host;
}  // namespace world

class Node {
 public:
  // What runs on the node: a coroutine over the Env of one life of the node. It ends by itself when it
  // is done, when it was asked to stop, or when its port calls yield Errc::closed after a crash; a crashed
  // program that does not end (it ignores closed, or waits for what never comes) is stuck: World::run says so.
  // The objects that it needs are its own, so that they die with it.
  using Program = std::function<Task<void>(Env&)>;

  ~Node();
  const std::string& name() const;
  const std::vector<IpAddress>& addresses() const;
  World& world();

  // The program is kept for restarts. Each start after the first, and each restart, begins a new life of
  // the node, with an Env of its own.
  void start(Program program);
  bool running() const;  // the program has been started and has not ended
  // Cuts the node off, now, between two events: nothing more reaches disk, wire, event sink or clock;
  // every port call yields closed; the node's own queue is run until its coroutines have ended.
  // Unsynced data is treated as the disk's settings say. Peers see an RST behind what was under way.
  // From within the node's own calls use crash_soon.
  void crash();
  void crash_soon();  // after the event under way; the call that triggers it has no further effect
  void restart();     // starts the program anew over the disk as the crash left it; not while running

  // The Env of the present life; of an unstarted node too (peers that are driven from outside). After a
  // crash it is the dead one, whose ports yield closed, until the next start.
  Env& env();
  SimDisk& disk();

  // Sees every event that the node's program emits, after it was recorded. For crashes at an event.
  void on_event(std::function<void(const Event&)> observer);

  // How far its wall clock is ahead of the world's; or moves it on from where it is.
  void set_clock_offset(Duration offset);
  void move_clock(Duration by);
  // From now on it gains so many millionths, or loses them.
  void set_clock_drift(std::int64_t ppm);
  // It stands still; then it goes on from where it stood.
  void freeze_clock(bool still);
  WallTime wall_clock() const;

  // Its program takes no step (SIGSTOP): events, timers and octets wait. Time goes on, and its kernel still
  // takes connections and octets as far as backlog and window go. A restart ends it.
  void pause(bool paused);
  // Sockets and files that may be open at once; what is open above that stays. None: no limit.
  // `on_refusal`: told of each that it fails to open.
  void set_descriptors_max(std::optional<std::uint64_t> count, std::function<void()> on_refusal = {});

  // For the other parts of the world.
  world::Host& host() const { return *host_; }

 private:
  friend struct world::Core;
  friend class World;
  Node(world::Core& core, std::string name, std::vector<IpAddress> addresses);
  std::unique_ptr<world::Host> host_;
};

}  // namespace postproof::sim
