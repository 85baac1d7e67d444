// What the way from one host to another does to what crosses it. Links and faults are the same thing:
// settings over the default, applied in the order in which they were made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "mta/base/time.h"

namespace postproof::sim {

// One direction between two hosts.
struct Way {
  Duration latency = std::chrono::milliseconds{1};
  Duration jitter{};            // so much more at the most, drawn for each packet; none overtakes another
  std::uint64_t bandwidth = 0;  // octets a second of one connection; 0: no limit
  double loss = 0;              // the share of the packets that have to be sent again; of datagrams: that are lost
  std::size_t segment = 0;      // octets that arrive at once, at the most; 0: as written
  std::size_t packet = 1460;    // octets that are sent at once where bandwidth or loss count them
  bool held = false;            // octets and FIN wait at the sender
  bool window_closed = false;   // the receiver takes no octet
};

// What one setting makes of the ways that it is for.
struct WayChange {
  std::string from, to;  // nodes; empty: any
  std::optional<Duration> latency;
  Duration delay{};  // on top of the latency
  std::optional<Duration> jitter;
  std::optional<std::uint64_t> bandwidth;
  std::optional<double> loss;
  std::optional<std::size_t> segment, packet;
  bool held = false;
  bool window_closed = false;

  void apply(Way& way) const {
    way.latency = latency.value_or(way.latency) + delay;
    way.jitter = jitter.value_or(way.jitter);
    way.bandwidth = bandwidth.value_or(way.bandwidth);
    way.loss = loss.value_or(way.loss);
    way.segment = segment.value_or(way.segment);
    way.packet = packet.value_or(way.packet);
    way.held = way.held || held;
    way.window_closed = way.window_closed || window_closed;
  }
};

}  // namespace postproof::sim
