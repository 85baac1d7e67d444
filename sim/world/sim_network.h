// The wires between nodes: latency, connections with back-pressure, datagrams, and what can go wrong.
//
// A connection is dialed by a SYN that takes one latency and an answer that takes another. Octets arrive
// one latency after they were written, in order, behind a window of 64 KiB that the reader opens as it
// reads. FIN travels behind the octets; RST overtakes what has not been read. A packet that is lost is sent
// again after 1 s, then 2 s, up to 60 s (RFC 6298), and those behind it wait for it. What a host sends to
// itself takes 10 us, and nothing goes wrong with it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mta/base/endpoint.h"
#include "mta/base/time.h"
#include "sim/recording/record.h"
#include "sim/world/way.h"

namespace postproof::sim {

class World;

enum class HostFault : std::uint8_t {
  none,
  refuse,       // a SYN is answered by RST; standing connections go on
  unreachable,  // a SYN is answered by "no route" at once; datagrams are lost; standing connections stall
  blackhole,    // nothing arrives and nothing leaves; standing connections stall and go on afterwards
  silent,       // connections are accepted by the host, and the program never sees them
  backlog,      // SYNs are dropped, as by a full backlog; their openers repeat them after 1 s, 2 s, 4 s, ...
};

// What the network itself does to a connection, behind octets that one side has sent.
enum class Cut : std::uint8_t {
  reset,       // both sides are reset
  fin,         // both sides find the other's direction ended; what they send from then on is answered by RST
  half_close,  // the receiver finds the sender's direction ended; what the sender sends from then on is lost
};

// Octets that one side sends, as something on the way sees them.
struct Crossing {
  ConnectionId connection = 0;
  Side from = Side::opener;
  std::string_view opener, acceptor;  // nodes
  std::uint16_t port = 0;             // of the acceptor
  std::string_view octets;

  std::string_view sender() const { return from == Side::opener ? opener : acceptor; }
  std::string_view receiver() const { return from == Side::opener ? acceptor : opener; }
};
struct CutBehind {
  std::size_t octets = 0;  // these still arrive
  Cut cut = Cut::reset;
};
// Sees all octets between hosts, in the calls that write them; none: they pass. Not asked any more of a
// direction that was cut.
using Tap = std::function<std::optional<CutBehind>(const Crossing&)>;

// Something that sets out from one host to another, or would: for those who want to know whether a fault has met anything.
struct Passage {
  enum class What : std::uint8_t {
    dial,         // a SYN: as it leaves, and again as it arrives
    octets,       // of a connection, or its FIN: as they are written, as they leave, and when something begins to hold them
    datagram,     // as it leaves, and again as it arrives
    shut_window,  // octets that the receiver takes no more
  };
  What what = What::octets;
  std::string_view from, to;  // nodes, never the same
  std::uint16_t port = 0;        // of the acceptor; of a datagram, of its receiver
  std::uint16_t other_port = 0;  // of a datagram, of its sender; else the same
};
// True: it has seen what it waits for, and is not told of more.
using Onlooker = std::function<bool(const Passage&)>;

class SimNetwork {
 public:
  explicit SimNetwork(World& world);
  ~SimNetwork();

  // Of every way that nothing else is set for.
  void set_default_way(const Way& way);
  // On top of what is set already; an id for remove_way.
  std::uint64_t add_way(WayChange change);
  void remove_way(std::uint64_t id);
  // Shorter forms of these, for good. Pairs have no direction; segments are of what this node sends.
  void set_default_latency(Duration latency);
  void set_default_segment(std::size_t octets);
  void set_latency(std::string_view node_a, std::string_view node_b, Duration latency);
  void set_segment(std::string_view node, std::size_t octets);

  // Of a node; `port` narrows it to connections to that port (and datagrams to or from it), `address` to one of
  // the node's. Settings of different scope stand side by side, and the strongest counts; `none` takes away
  // the one of its very scope.
  void set_fault(std::string_view node, HostFault fault, std::optional<std::uint16_t> port = {},
                 std::optional<IpAddress> address = {});
  std::uint64_t add_tap(Tap tap);
  void remove_tap(std::uint64_t id);
  // Told of all that passes between hosts, and changes nothing of it.
  std::uint64_t add_onlooker(Onlooker onlooker);
  void remove_onlooker(std::uint64_t id);
  // Asks it once of both directions of every standing connection, with no octets: what it cuts is cut behind
  // all that has been sent. From the world's loop.
  void ask(const Tap& tap);
  // Holds the octets between two nodes until healed as often as parted; nothing is lost but datagrams.
  void partition(std::string_view node_a, std::string_view node_b, bool parted);
  void partition_one_way(std::string_view from, std::string_view to, bool parted);

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
