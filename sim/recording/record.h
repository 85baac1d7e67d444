// What a run leaves: everything that crossed a wire, and what peers, clients, DNS servers, disks, faults
// and the MTA's own events told, in order of virtual time. Values only. The simulation writes it
// (recorder.h), judges and views read it; recording_file.h stores it as JSON lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mta/base/endpoint.h"
#include "mta/base/time.h"

namespace postproof::sim {

using ConnectionId = std::uint32_t;  // counts from 1 within a run

// Who sends: the side that opened the connection, or the one that accepted it.
enum class Side : std::uint8_t { opener, acceptor };

namespace record {

// A node (host) comes up, ends in order, or is cut off by a crash.
struct NodeState {
  std::string node;
  std::string state;  // "start", "stop", "crash"
};

// A connection is dialed. Its fate follows as Established, or as Refused with a reason.
struct Dial {
  ConnectionId connection;
  std::string from_node, to_node;  // to_node is empty when nobody has that address
  Endpoint from, to;
};
struct Established {
  ConnectionId connection;
};
struct Refused {
  ConnectionId connection;
  std::string reason;  // "refused", "unreachable", "timed out", "closed"
};
struct Octets {
  ConnectionId connection;
  Side from;
  std::string octets;
  std::optional<Duration> arrives;  // when they can be read at the other end; none: lost
  std::vector<Duration> resent{};   // when they were sent again, because they had got lost until then
};
struct Fin {
  ConnectionId connection;
  Side from;
  bool network = false;  // it was not this side that ended its direction, but something on the way
};
struct Reset {
  ConnectionId connection;
  Side from;
};

// A side of a connection tells what became of TLS: both tell of a handshake, and whoever closes tells of the end.
struct Tls {
  ConnectionId connection;
  Side from;                 // that tells
  std::string node;
  std::string state;         // "established", "failed", "closed" (by its close_notify), "truncated" (without)
  std::string version;       // "TLSv1.3"; empty before it is agreed
  std::string cipher;        // "TLS_AES_256_GCM_SHA384"
  std::string server_name;   // SNI, as sent or as seen; empty when there was none
  std::string verified;      // of the other side's certificate: "" not asked, "ok", or the reason why it is not
  std::string detail;        // why it failed: the alert, the error
};
// Octets as they were before TLS hid them; the octets that carry them follow as Octets.
struct Plain {
  ConnectionId connection;
  Side from;
  std::string octets;
  std::optional<Duration> arrives;  // when the last octet that carries them can be read at the other end; none: lost
};
// A line of the key log (NSS format) with which a capture can be decrypted.
struct TlsKey {
  ConnectionId connection;
  std::string line;
};

struct Datagram {
  std::string from_node, to_node;
  Endpoint from, to;
  std::string octets;
  bool lost;
};

// A DNS server of the simulation was asked, and answered (or kept silent).
struct Dns {
  std::string server;  // node
  std::string client;  // node
  std::string name, type;
  std::string transport;  // "udp", "tcp"
  std::string answer;     // "noerror: MX 10 mx1.dest.example", "nxdomain", "silence", ...
};

// A peer has read a whole message, up to its final dot, and this is what it answered.
struct PeerMessage {
  std::string peer;
  ConnectionId connection;
  std::string helo;
  std::string mail_parameters;  // behind the path of MAIL, as sent
  std::string sender;           // without brackets; empty for the null sender
  std::vector<std::string> recipients;  // those that the peer accepted
  std::string content;          // without dot-stuffing, CRLF line ends as sent
  std::string reply;            // the line(s) sent, or empty when none was
  bool accepted;                // the reply was (or would have been) positive: the peer keeps the message
};

// A client of the simulation (a submission, a script) has handed over a message, or has failed to.
struct ClientMessage {
  std::string client;
  std::string to;               // node
  ConnectionId connection;
  std::string sender;
  std::vector<std::string> recipients;  // those that were accepted
  std::string content;
  std::string reply;            // to the final dot; empty when none came
  bool acknowledged;            // it was positive
};

// A step of a scripted dialogue that failed: what was wanted, what came.
struct ScriptFailure {
  std::string node;
  std::uint32_t line;  // in the scenario file
  std::string wanted, got;
};

struct DiskOperation {
  std::string node;
  std::uint64_t number;   // counts from 1 over the node's whole life, crashes included
  std::string operation;  // "open", "write", "sync", "sync_dir", ...
  std::string path;
  std::uint64_t offset, size;
  std::string result;     // "ok" or an error
};

// A fault struck, or ended.
struct Fault {
  std::string kind;        // "tcp.refuse"
  std::string where;       // host, connection, path
  std::uint32_t line;      // of the [[at]] or rule in the scenario, 0: none
  std::string detail;      // "begins", "ends", what it did
};

// An event of an MTA under test.
struct MtaEvent {
  std::string node;
  std::string name;
  std::vector<std::pair<std::string, std::string>> fields;  // values as text: durations as format_duration

  const std::string* find(std::string_view key) const;
};

// The state of an MTA's queue when the run ended.
struct QueueState {
  std::string node;
  std::string message;
  std::string sender;
  std::string recipient;
  std::string status;
  std::uint32_t attempts;
  std::optional<Duration> due;
};

struct End {
  std::string reason;  // "done", "limit", "events", "stuck"
  std::string pending; // what was still under way, if anything
};

// An expectation or invariant that did not hold, as the judge told it; behind End.
struct Failure {
  std::uint32_t line;                 // in the scenario file; 0: an invariant
  std::string expectation;            // "expect delivered", "invariant: nothing acknowledged is lost"
  std::string wanted, nearest;
  std::vector<std::uint64_t> events;  // indexes of the records that show it, in order
};
// What the judge came to: the last record of a run.
struct Verdict {
  std::string result;    // "passed", "failed"
  std::uint32_t held;    // expectations that held
  std::uint32_t failed;  // Failures before this record
};

}  // namespace record

struct Record {
  Duration at{};  // virtual time since the start of the run
  std::variant<record::NodeState, record::Dial, record::Established, record::Refused, record::Octets, record::Fin,
               record::Reset, record::Tls, record::Plain, record::TlsKey, record::Datagram, record::Dns,
               record::PeerMessage, record::ClientMessage, record::ScriptFailure, record::DiskOperation,
               record::Fault, record::MtaEvent, record::QueueState, record::End, record::Failure, record::Verdict>
      what;
};

struct Recording {
  std::string scenario;  // path as given
  std::string title;
  std::string variant;   // "" or "disk_op=3"
  std::uint64_t seed = 0;
  std::uint64_t group_begin = 0, group_size = 0;  // of a group of seeds, of which this is one run: the first, how many; 0: none
  WallTime start{};      // wall time of virtual time 0
  std::vector<std::string> source;  // the scenario's lines, for views and reports
  std::vector<Record> records;      // in order; the index is "event N" in reports
};

}  // namespace postproof::sim
