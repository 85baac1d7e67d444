// What a scenario expects of a run: the [[expect]] tables as values. docs/scenarios.md tells what each key means;
// the judge (sim/judge) holds them against a recording.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mta/base/time.h"

namespace postproof::sim {

// "15m30s" with a slack: a moment of virtual time.
struct When {
  Duration at{};
  Duration slack{};
};

// A stretch of virtual time; `until` itself is out.
struct Window {
  std::optional<Duration> from, until;
  bool holds(Duration at) const { return (!from || at >= *from) && (!until || at < *until); }
};

// Patterns are globs; an empty one matches everything. Hosts are the scenario's names; an empty one is any.

struct ExpectDelivered {
  std::string rcpt, at, from;              // at: peer; empty: any. from: "<>" is the null sender
  std::optional<std::uint64_t> count;      // exactly; default 1 where `when` or nothing else says how many
  std::vector<When> when;                  // one moment a delivery, in order
  std::vector<std::string> contains;       // each is somewhere in the content
  std::vector<std::string> header;         // "Name: text": a header field of this name holds the text
  std::optional<std::string> body;         // the content below our trace header is this (lines in LF or CRLF)
  std::string tls{};                       // "none", "encrypted", "verified"; empty: any
};
struct ExpectDsn {
  std::string to, at;                      // envelope recipient; peer
  std::optional<std::uint64_t> count;
  std::string reporting, envid;            // over the fields of the message (RFC 3464 section 2.2)
  std::string action, final, original, status, remote, diagnostic;  // over the fields of one recipient group (2.3)
  std::optional<When> arrival;             // Arrival-Date, as virtual time
  std::optional<When> last_attempt, retry_until;  // Last-Attempt-Date, Will-Retry-Until of the group
  std::string ret;                         // what it returns of the message: "full", "headers", "none"; empty: no matter
  std::vector<When> when;
  std::vector<std::string> contains;
};
struct ExpectAttempts {
  std::string rcpt, mta;
  std::vector<When> when;                  // all of them, in order
  std::optional<std::uint64_t> count;
};
// What MTAs answered to the simulation's clients.
struct ExpectReply {
  std::string client, mta;
  std::string verb;                        // "connect", a verb, "dot"; empty: any
  std::string match = "*";                 // over what follows the verb; of MAIL and RCPT over the address
  std::string code;                        // over the three digits; "none": no reply came
  std::string text;                        // over what follows the code in one of its lines
  std::optional<std::uint64_t> nth;        // only the nth command of this kind, counted over all connections
  std::optional<std::uint64_t> count;      // exactly so many replies are like this; none: all are, and there is one
  std::vector<When> when;                  // those that are like this were sent then
};
// Lines of one connection.
struct ExpectWire {
  struct Line {
    bool from_opener = true;               // ">": from the side that opened the connection
    std::string pattern;
  };
  std::string from, to;                    // who opened it, and to whom
  std::optional<std::uint64_t> nth;        // only the nth connection between them; none: one of them will do
  std::vector<Line> lines;                 // in this order
  bool skip = false;                       // others may stand between them
  std::vector<Line> forbid;                // none of these on any of the connections
};
// Header fields of delivered messages.
struct ExpectHeader {
  struct Hop {
    std::string from, by, with, id, for_;  // clauses of a Received field (RFC 5321 section 4.4)
  };
  std::string rcpt, at;                    // of which deliveries: all that match
  std::string name, value;                 // a field of this name with this value
  std::optional<std::uint64_t> count;      // so many of them; none: at least one
  std::optional<std::uint64_t> hops;       // Received fields; 0 where `received` is an empty list
  std::vector<Hop> received;               // all of them, the newest (topmost) first
};
struct ExpectQueue {
  std::string mta, rcpt;
  std::optional<Duration> t;               // looked at then; none: at the end
  std::optional<std::uint64_t> depth;      // messages
  std::optional<When> next;                // next attempt of rcpt
  std::optional<When> age;                 // of the oldest of these messages, since it was accepted
};
// Events of MTAs, as their log has them.
struct ExpectLog {
  std::string mta, event;
  std::string match = "*";                 // over a field or the whole line
  std::vector<std::pair<std::string, std::string>> fields;  // name, pattern: all of them
  std::optional<std::uint64_t> count;      // none: at least one
  std::vector<When> when;
};
// Questions at the world's resolver.
struct ExpectDns {
  std::string by;                          // who asked
  std::string name, type, transport, answer;
  std::optional<std::uint64_t> count;      // none: at least one
  std::vector<When> when;
  std::vector<std::pair<std::string, std::string>> order;  // name, type: asked in this order, others between them
};
// How much of something was used.
struct ExpectResource {
  std::string of;                          // connections, lanes, dials, datagrams, octets, disk_operations, syncs
  std::string host;                        // whose
  std::vector<std::string> to;             // only with these hosts
  Window window;
  std::optional<std::uint64_t> min, max;
};
struct ExpectNever {
  std::string event;                       // connect, command, reply, data, accepted, ...
  std::string at;                          // host; for wire events: the accepting host
  std::string by;                          // wire events: the host that opened the connection
  std::string match = "*";                 // glob over the event's text
  Window window;
  std::string tls{};                       // of command and data: only those that crossed the wire so; empty: any
};
// TLS that was tried on connections: one for each, as both sides tell it.
struct ExpectTls {
  std::string at, from;                    // the host that accepted, the one that dialed; empty: any
  std::string version, cipher, sni;        // globs; empty: any
  std::string verified;                    // glob over what the dialing side found of the certificate: "ok", a reason
  std::string result;                      // "established" or "failed"; empty: any
  std::string detail;                      // glob over what either side tells of a failure
  std::optional<std::uint64_t> count;      // default: at least one
};
struct ExpectEnd {
  std::optional<std::uint64_t> queue, connections;
  std::optional<When> when;                // the virtual time at which the run ended
};

struct Expect;

// Over the seeds of a group: the share of runs in which another expectation holds.
struct ExpectRate {
  std::shared_ptr<const Expect> of;
  double min = 0, max = 1;
};
// Over the seeds of a group: how something falls on hosts.
struct ExpectDistribution {
  std::string of;                          // "connect": connections to them; "delivered": recipients that they took
  bool first = false;                      // only the first of each run
  std::vector<std::string> over;           // hosts
  std::vector<double> shares;              // one a host
  double tolerance = 0.05;                 // that each share may be off
};

struct Expect {
  std::variant<ExpectDelivered, ExpectDsn, ExpectAttempts, ExpectReply, ExpectWire, ExpectHeader, ExpectQueue, ExpectLog,
               ExpectDns, ExpectResource, ExpectNever, ExpectTls, ExpectEnd, ExpectRate, ExpectDistribution>
      what;
  std::uint32_t line = 0;
};

}  // namespace postproof::sim
