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
#include "sim/scenario/expectation.h"
#include "sim/scenario/fault.h"
#include "sim/scenario/peer_fault.h"
#include "sim/wire/dot.h"
#include "sim/scenario/logins.h"
#include "sim/scenario/server_tls.h"

namespace postproof::sim {

// Hosts that every world has of its own; a scenario may name them, and may not define them. No host of a
// scenario gets their addresses (addresses.h).
inline constexpr std::string_view kResolverHost = "dns";   // the validating resolver that MTAs ask
inline constexpr std::string_view kSubmitHost = "client";  // where submissions come from
IpAddress resolver_address();                              // 10.0.0.53
IpAddress submit_address();                                // 10.0.0.25
IpAddress submit_address6();                               // 2001:db8::25

// 2026-01-01 00:00:00 UTC.
inline constexpr WallTime kUsualStart{std::chrono::seconds{1'767'225'600}};

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

// A file that stands on an MTA's disk before the run, or that its configuration was read from.
struct GivenFile {
  std::string path;
  std::string content;
};

struct MtaPart : HostPart {
  Config config;  // resolver addresses and listeners are filled in by the runner
  bool resolver_given = false;  // the scenario names its own resolver addresses
  std::vector<std::string> needs;  // capabilities (mta/capabilities.h) without which the scenario is skipped
  std::optional<GivenFile> configuration;  // config = "FILE": a production configuration, taken as it stands
  std::vector<GivenFile> files;            // that are on its disk: those of [mta.NAME.files], by path
  std::string cert;             // of its server, minted: a word of certificate_words(); empty: none
  // The keys of its own configuration that the scenario sets, dotted and sorted: "retry.schedule". The runner's defaults
  // (who may relay, where to listen) are for what is not among them.
  std::vector<std::string> given;
};

struct PeerPart : HostPart {
  std::uint16_t port = 25;
  std::string banner;                      // text of the greeting behind its name; empty: "ESMTP ready"
  std::vector<std::string> keywords;       // of EHLO; default PIPELINING, SIZE 52428800, 8BITMIME, ENHANCEDSTATUSCODES
  std::string like;                        // the peer whose rules and memory it shares; empty: none
  ServerTls tls;
  PeerLogins logins;
  std::vector<Rule> rules;
  std::vector<PeerFault> faults;           // that stand all the time: quota, rate, size_max, ...
  std::vector<FinalDot> end_of_data;       // what ends content besides CRLF.CRLF
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
  bool tls = false;                    // hand over within TLS only
  std::string tls_version;             // this alone; empty: 1.2 and 1.3
  std::string tls_cipher;              // this suite alone; empty: any good one
  std::optional<ClientLogin> login{};  // who logs in before
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

// One axis of a matrix and the value that it has in a variant.
struct VariantValue {
  std::string axis;
  std::string value;
};

struct Scenario {
  std::string file;                        // as given on the command line
  std::vector<std::string> source;         // its lines
  std::string title;
  std::vector<LocatedString> covers;       // clauses (clause.h)
  std::vector<LocatedString> cases;        // ids of a catalogue
  std::vector<VariantValue> variant;       // the point of the matrix that this is; empty without one
  std::vector<std::string> needs;          // capabilities that every MTA must have
  std::uint64_t seed = 1;
  WallTime start = kUsualStart;            // what clocks show when the run begins
  std::uint64_t seeds = 1;                 // so many seeds from `seed` on are one group; `rate` and `distribution` look at all
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
