// The inside of a Node, for the other parts of this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/world/core.h"
#include "sim/world/host_clock.h"
#include "sim/world/life.h"
#include "sim/world/node.h"

namespace postproof::sim::world {

// RFC 6335 section 6: the ports that are given out.
inline constexpr std::uint16_t kFirstDynamicPort = 49152;
inline constexpr std::uint64_t kDynamicPorts = 65536 - kFirstDynamicPort;

struct Host {
  Host(Core& of_the_world, Node& of_the_host, std::string called, std::vector<IpAddress> has);

  bool has_address(const IpAddress& address) const;
  // Into the recording, unless the host is unseen.
  template <class What>
  void add(What what) {
    if (recorded) core.add(std::move(what));
  }
  // The present life; begins the first one when there is none yet.
  Life& life();
  Life& begin_life();
  // Cuts the present life off; `crash` says whether it is a crash of the machine (told, and felt by the
  // disk) or only the end of a process that has left something behind.
  void end_life(bool crash);

  Core& core;
  Node& node;
  std::string name;
  std::vector<IpAddress> addresses;
  bool recorded = true;
  Node::Program program;
  std::function<void(const Event&)> observer;
  HostClock clock;
  bool paused = false;
  std::optional<std::uint64_t> descriptors_max;
  std::function<void()> on_no_descriptor;  // told of each that is refused for it
  std::uint64_t ports_given = 0;  // for connections; those of sockets that ask for any port are drawn at random
  std::unique_ptr<Random> random_ports;
  // All of them, to the end of the world: what was built on an Env may still point into it.
  std::vector<std::unique_ptr<Life>> lives;
  SimDisk disk;
};

}  // namespace postproof::sim::world
