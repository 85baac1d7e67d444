// Records what crosses the sockets of a scenario's own hosts: connections by number, octets of both ways, datagrams.
//
// Time is that of this side: octets of the MTA under test are there when they are read, ours when they are handed to
// the socket, and then they count as arrived. A connection between two hosts of the scenario is recorded by the one that
// opened it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "mta/base/endpoint.h"
#include "sim/recording/recorder.h"
#include "sim/serve/place.h"

namespace postproof::sim {

class WireLog {
 public:
  // Both outlive it.
  WireLog(const PlacedScenario& placed, Recorder& recorder) : placed_(placed), recorder_(recorder) {}

  Recorder& recorder() { return recorder_; }
  // Octets, or Plain, that arrive in the moment in which they are recorded.
  template <class Sent>
  void add_arrived(Sent sent) {
    recorder_.add(std::move(sent));
    Record& record = recorder_.recording().records.back();
    std::get<Sent>(record.what).arrives = record.at;
  }

  // The name of the host that has an address; the address itself when none has. An MTA that is the only one may come
  // from any.
  std::string node_at(const IpAddress& address) const;

  // What one end of a connection is to do about it.
  struct Line {
    ConnectionId connection = 0;
    bool records = true;  // false: the other end does
  };
  Line opened(const std::string& node, const Endpoint& from, const Endpoint& to);
  Line accepted(const std::string& node, const Endpoint& from, const Endpoint& to);
  void refused(const std::string& node, const Endpoint& from, const Endpoint& to, std::string reason);

  // The side that is ours has ended it.
  void closed(const Line& line);
  std::size_t open() const { return open_; }  // connections
  std::size_t ends() const { return ends_; }  // of ours that are open: two of a connection between two of our hosts

  // Whether the other end of a connection is one of our hosts' too. `near`: the side that is known to be.
  bool far_is_ours(Side near, const IpAddress& far) const;

 private:
  ConnectionId begin(const std::string& from_node, const Endpoint& from, const std::string& to_node, const Endpoint& to);
  bool is_submit_host(const IpAddress& address) const;
  bool is_client(const IpAddress& address) const;
  bool is_peer(const IpAddress& address) const;

  const PlacedScenario& placed_;
  Recorder& recorder_;
  ConnectionId next_ = 1;
  std::size_t open_ = 0;
  std::size_t ends_ = 0;
  // Between two hosts of ours: seen at one end, and not yet at the other.
  std::map<std::pair<Endpoint, Endpoint>, ConnectionId> half_;
};

}  // namespace postproof::sim
