// A scenario as values: what the loader (load.h) has read and found right. docs/scenarios.md describes the
// language; every part keeps the line where it stands, for reports.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mta/base/endpoint.h"
#include "mta/base/time.h"
#include "mta/base/toml_reader.h"
#include "mta/config.h"
#include "sim/scenario/fault.h"

namespace postproof::sim {

// Hosts that every world has of its own; a scenario may name them, and may not define them. No host of a
// scenario gets their addresses (addresses.h).
inline constexpr std::string_view kResolverHost = "dns";   // the validating resolver that MTAs ask
inline constexpr std::string_view kSubmitHost = "client";  // where submissions come from
IpAddress resolver_address();                              // 10.0.0.53
IpAddress submit_address();                                // 10.0.0.25

// 2026-01-01 00:00:00 UTC.
inline constexpr WallTime kUsualStart{std::chrono::seconds{1'767'225'600}};

// "15m30s" with a slack: a moment of virtual time.
struct When {
  Duration at{};
  Duration slack{};
};

struct DnsPart {
  std::string zone;           // master-file text, names with a trailing dot
  std::uint32_t zone_line = 0;    // of its first line in the file
  std::uint32_t zone_column = 1;  // where that line's text begins
  std::vector<std::string> secure, bogus, servfail, timeout;  // names: answers for them and below carry AD, ...
};

struct LinkPart {
  // Of what is not given: [link.default]'s, and of that the world's.
  std::optional<Duration> latency, jitter;
  std::optional<std::uint64_t> bandwidth;  // octets a second
  std::optional<double> loss;              // share of the packets
  std::optional<std::uint64_t> segment;    // octets that arrive at once, at the most
  std::vector<std::string> between;        // two hosts; empty for [link.default]
  std::uint32_t line = 0;
};

// What every host has.
struct HostPart {
  std::string name;                    // the key: [peer.NAME]
  std::vector<std::string> names;      // DNS names; A and AAAA records are added for them
  std::vector<IpAddress> addresses;    // given, or drawn up from the host's place in the file
  std::uint32_t line = 0;
};

struct MtaPart : HostPart {
  Config config;  // resolver addresses and listeners are filled in by the runner
  bool resolver_given = false;  // the scenario names its own resolver addresses
  // The keys of its own configuration that the scenario sets, dotted and sorted: "retry.schedule". The runner's defaults
  // (who may relay, where to listen) are for what is not among them.
  std::vector<std::string> given;
};

// Part of a peer's rules: first match wins; what no rule names is normal.
struct Rule {
  std::string on;                      // "connect", a verb, "dot"
  std::string match = "*";             // glob, ignoring case: over the address (MAIL, RCPT) or the argument
  std::optional<std::uint64_t> nth;    // only the nth time that this rule matches otherwise, from 1
  std::optional<std::uint64_t> times;  // only the first so many times
  std::optional<Duration> first_seen;  // until so long after the triplet (client, sender, argument) was first seen
  std::optional<Duration> from, until; // only within this virtual time
  std::vector<std::string> reply;      // lines; "550 5.1.1 no such user", or "250-a" and "250 b"
  std::string raw;                     // octets instead of a reply
  Duration delay{};
  enum class Act : std::uint8_t { reply, silence, close, reset } act = Act::reply;
  bool take = true;                    // on = "dot" with close, reset or silence: the message was taken all the same
  std::uint32_t line = 0;
};

struct PeerPart : HostPart {
  std::uint16_t port = 25;
  std::string banner;                      // text of the greeting behind its name; empty: "ESMTP ready"
  std::vector<std::string> keywords;       // of EHLO; default PIPELINING, SIZE 52428800, 8BITMIME, ENHANCEDSTATUSCODES
  std::vector<Rule> rules;
  std::string script;                      // a dialogue instead of rules; empty: none
  std::uint32_t script_line = 0;           // of its first line in the file
  std::uint32_t script_column = 1;         // where that line's text begins
};

struct ClientPart : HostPart {
  std::string to;             // host; or an endpoint's text
  std::uint16_t port = 25;
  Duration start{};           // when its dialogue begins
  std::string script;         // empty: a host that only lends its address to submissions (from_host)
  std::uint32_t script_line = 0;
  std::uint32_t script_column = 1;
};

// { to, from, rcpt, data } at a time: a client of the world's own hands a message over, correctly.
struct Submit {
  std::string to;                      // MTA
  std::string from;                    // address, "" or "<>" for the null sender, then MAIL parameters
  std::vector<std::string> rcpt;
  std::string data;                    // default: a small message. LF and CRLF both end lines; sent with CRLF, dot-stuffed
  std::string from_host;               // a [client] host's name; empty: the world's own
  std::string helo;                    // empty: the client host's name
  std::uint64_t count = 1;             // so many equal messages, each in a connection of its own
  std::uint64_t size = 0;              // octets of text added to data, so that big messages need no big file
};

// From its time on the DNS has other answers; caches do not know of it.
struct ZoneChange {
  std::vector<std::string> remove;  // "dest.example", "dest.example MX": these go, then
  std::string zone;                 // what this has takes the place of what its names had of its types
  std::uint32_t zone_line = 0;      // of its first line in the file
  std::uint32_t zone_column = 1;    // where that line's text begins
  std::uint32_t line = 0;
  SourcePosition remove_at;         // of the list
};

struct At {
  Duration t{};
  std::variant<Submit, Fault, ZoneChange> what;
  std::uint32_t line = 0;
};

struct ExpectDelivered {
  std::string rcpt, at, from;              // at: peer; empty: any. from: "<>" is the null sender
  std::optional<std::uint64_t> count;      // exactly; default 1 where `when` or nothing else says how many
  std::vector<When> when;                  // one moment a delivery, in order
  std::vector<std::string> contains;       // each is somewhere in the content
  std::vector<std::string> header;         // "Name: text": a header field of this name holds the text
  std::optional<std::string> body;         // the content below our trace header is this (lines in LF or CRLF)
};
struct ExpectDsn {
  std::string to, at;                      // envelope recipient; peer
  std::optional<std::uint64_t> count;
  std::string action, final, status, remote, diagnostic;  // globs over the fields of one recipient group
  std::vector<When> when;
  std::vector<std::string> contains;
};
struct ExpectAttempts {
  std::string rcpt, mta;
  std::vector<When> when;                  // all of them, in order
  std::optional<std::uint64_t> count;
};
struct ExpectQueue {
  std::string mta, rcpt;
  std::optional<Duration> t;               // looked at then; none: at the end
  std::optional<std::uint64_t> depth;      // messages
  std::optional<When> next;                // next attempt of rcpt
};
struct ExpectNever {
  std::string event;                       // connect, command, reply, data, accepted, ...
  std::string at;                          // host; for wire events: the accepting host
  std::string match = "*";                 // glob over the event's text
};
struct ExpectEnd {
  std::optional<std::uint64_t> queue, connections;
  std::optional<When> when;                // the virtual time at which the run ended
};

struct Expect {
  std::variant<ExpectDelivered, ExpectDsn, ExpectAttempts, ExpectQueue, ExpectNever, ExpectEnd> what;
  std::uint32_t line = 0;
};

struct Scenario {
  std::string file;                        // as given on the command line
  std::vector<std::string> source;         // its lines
  std::string title;
  std::vector<LocatedString> covers;       // clauses (clause.h)
  std::vector<LocatedString> cases;        // ids of a catalogue
  std::uint64_t seed = 1;
  WallTime start = kUsualStart;            // what clocks show when the run begins
  Duration limit = std::chrono::hours{240};
  bool open = false;                       // messages that no expectation names are no failure
  DnsPart dns;
  std::vector<LinkPart> links;
  std::vector<MtaPart> mtas;
  std::vector<PeerPart> peers;
  std::vector<ClientPart> clients;
  std::vector<At> at;                      // by time, equals in the order of the file
  std::vector<Expect> expects;
};

}  // namespace postproof::sim
