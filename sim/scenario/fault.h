// A fault of an [[at]] as a value. What its keys mean, and which kind takes which, is docs/scenarios.md's and
// fault_kinds.h's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mta/base/time.h"
#include "sim/scenario/peer_fault.h"

namespace postproof::sim {

// Which octets a fault of a host's connections is about: those that it gets, those that it sends, or all.
enum class FaultWay : std::uint8_t { both, to, from };

struct Fault {
  std::string kind;               // "tcp.blackhole", "dns.servfail", "disk.enospc", "process.crash", ...
  bool instant = false;           // is over as soon as it has struck; others last, or wait for their moment
  std::optional<Duration> lasts;  // for = "10h"; none: to the end
  bool may_miss = false;          // a run in which it strikes nothing is no failure

  std::string host;  // whose; of dns.*: empty
  std::string with;  // tcp.*: the other host; empty: all
  std::optional<std::uint16_t> port;
  FaultWay way = FaultWay::both;
  std::optional<std::uint64_t> octet;  // tcp.reset, .fin, .half-close: behind so many octets of each connection; tls.truncate: of TLS
  std::string at_line;                 // the same: at a line that matches this; empty: at none
  bool passes = true;                  // that line still arrives
  std::optional<std::uint64_t> times;  // so many connections, or reads
  std::uint64_t bandwidth = 0;         // octets a second
  std::uint64_t segment = 0;           // octets that arrive at once, at the most
  std::uint64_t packet = 0;            // octets that are sent at once; 0: as many as go into a packet
  double loss_share = 0;               // of the segments, 0 to 1
  Duration by{};                       // how much later; of clock.step: how far, forward or (negative) back
  Duration jitter{};

  std::string cert;               // tls.certificate: a word of certificate_words()
  std::string message;            // tls.hang, .close, .reset, .alert: a word of handshake_words()
  std::string version, cipher;    // tls.version, tls.cipher
  std::uint64_t record_size = 0;  // tls.record-size: octets

  std::string name;              // dns.*: the name and what is below it; "*": all
  std::optional<Duration> ttl;   // dns.ttl
  std::string records;           // dns.extra: master-file text
  std::uint32_t records_line = 0;    // of its first line in the file
  std::uint32_t records_column = 1;  // where that line's text begins
  std::string section;           // dns.extra: answer, authority, additional

  std::string operation = "write";     // disk.*: write, sync, read, ...
  std::string path = "*";              // disk.*
  std::optional<std::uint64_t> nth;    // only the nth such operation, line
  std::optional<std::uint64_t> octets; // disk.short-write: so many are written all the same
  std::optional<std::uint64_t> offset; // disk.bit-rot: in the file; none: drawn
  std::uint64_t bits = 1;              // disk.bit-rot: so many
  bool on_read = false;                // disk.bit-rot: what is read is wrong, and not what is stored

  std::optional<std::uint64_t> disk_op;  // process.crash: at the nth disk operation
  bool disk_op_each = false;             // process.crash: a variant for every disk operation
  std::string event;                     // process.crash: at the event of this name (and `match` in its fields)
  std::string from;                      // process.crash with disk_op: count only from the first event of this name
  std::string match = "*";
  std::optional<Duration> restart;       // process.crash: so long after; none: stays down
  std::string loss = "torn";             // process.crash: what becomes of unsynced data: torn, lose, keep
  std::uint64_t limit = 0;               // process.descriptors

  std::optional<PeerFault> peer;         // smtp.*: what the peer does

  std::int64_t ppm = 0;         // clock.drift
  std::optional<WallTime> to;   // clock.set
};

}  // namespace postproof::sim
