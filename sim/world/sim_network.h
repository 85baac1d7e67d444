// The wires between nodes: latency, connections with back-pressure, datagrams, and what can go wrong.
//
// A connection is dialed by a SYN that takes one latency and an answer that takes another. Octets arrive
// one latency after they were written, in order, behind a window of 64 KiB that the reader opens as it
// reads. FIN travels behind the octets; RST overtakes what has not been read. What a host sends to itself
// takes 10 us.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mta/base/endpoint.h"
#include "mta/base/time.h"
#include "sim/recording/record.h"

namespace postproof::sim {

class World;

enum class HostFault : std::uint8_t {
  none,
  refuse,       // a SYN is answered by RST; standing connections go on
  unreachable,  // a SYN is answered by "no route" at once; datagrams are lost; standing connections stall
  blackhole,    // nothing arrives and nothing leaves; standing connections stall and go on afterwards
  silent,       // connections are accepted by the host, and the program never sees them
};

class SimNetwork {
 public:
  explicit SimNetwork(World& world);
  ~SimNetwork();

  // Default 1 ms. Pairs have no direction. Octets are cut into segments of at most `segment` (0: as written).
  void set_default_latency(Duration latency);
  void set_latency(std::string_view node_a, std::string_view node_b, Duration latency);
  void set_default_segment(std::size_t octets);
  void set_segment(std::string_view node, std::size_t octets);  // of what this node sends

  // Of a node; `port` narrows it to connections to that port (and datagrams to or from it), `address` to one of
  // the node's. Settings of different scope stand side by side, and the strongest counts; `none` takes away
  // the one of its very scope.
  void set_fault(std::string_view node, HostFault fault, std::optional<std::uint16_t> port = {},
                 std::optional<IpAddress> address = {});
  // Cuts every standing connection of the node by RST on both ends.
  void reset_connections(std::string_view node);
  // Holds the octets between two nodes until healed; nothing is lost but datagrams.
  void partition(std::string_view node_a, std::string_view node_b, bool parted);

  std::size_t open_connections() const;
  std::size_t open_connections(std::string_view node) const;
  // Of them: closed by one side, and held on the way to the other. When nothing can happen any more they stay so.
  std::size_t adrift_connections() const;
  // For "what was still pending": one line each.
  std::string describe_connections() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace postproof::sim
