// What can be wrong with the answers of the simulated resolver, and for which names.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/time.h"

namespace postproof::sim {

enum class DnsFaultKind : std::uint8_t {
  nxdomain,
  nodata,
  servfail,
  refused,
  timeout,     // nothing is answered, on either transport
  truncate,    // UDP answers have TC set and are empty
  tcp_refuse,  // a TCP question ends in a reset; for all names ("*"), nobody listens on TCP
  wrong_id,    // UDP answers carry another id
  bogus,       // validation fails: SERVFAIL, unless the question has CD set (RFC 4035 section 5.5)
  formerr,     // a question with EDNS is answered FORMERR (RFC 6891 section 7)
  edns_drop,   // a UDP question with EDNS is not answered
  lame,        // a referral to the root from a server that does not recurse
  cname_loop,  // the name is an alias of one that is its alias
  // These change an answer, whatever it is, and go together with each other and with one of the others.
  delay,     // it comes later
  insecure,  // it lacks AD
  ttl,       // all its TTLs are this one
  extra,     // it has records that nobody has asked for
};

enum class DnsSection : std::uint8_t { answer, authority, additional };

// "servfail", "tcp-refuse", "wrong-id", "edns-drop"; none for any other word.
std::optional<DnsFaultKind> dns_fault_kind(std::string_view word);
std::string_view to_string(DnsFaultKind kind);

// A fault while it lasts: for a name and everything below it ("*" or "": all names).
struct DnsFault {
  DnsFaultKind kind = DnsFaultKind::servfail;
  std::string name;
  std::uint32_t line = 0;  // in the scenario
  Duration by{};           // delay
  std::uint32_t ttl = 0;   // in seconds
  std::string records{};   // extra: master-file text
  DnsSection section = DnsSection::answer;  // extra: where they stand
};

enum class DnsTransport : std::uint8_t { udp, tcp };
constexpr std::string_view to_string(DnsTransport transport) { return transport == DnsTransport::udp ? "udp" : "tcp"; }

// The faults in force.
class DnsFaults {
 public:
  std::uint64_t add(DnsFault fault);
  void remove(std::uint64_t id);

  // The one that decides what a question is answered: of those that can on this transport and, if they are about
  // EDNS, this question, the one with the longest name, then the newest. Null: none.
  const DnsFault* find(std::string_view name, DnsTransport transport, bool edns) const;
  // Of those that a name met behind a CNAME is subject to, too: they come from that name's own servers.
  const DnsFault* find_upstream(std::string_view name) const;
  // Those that change the answer, whatever it is: of each kind the one with the longest name, then the newest.
  std::vector<const DnsFault*> find_changes(std::string_view name) const;
  // tcp_refuse for all names.
  bool tcp_closed() const;

 private:
  template <class Applies>
  const DnsFault* best(std::string_view name, Applies applies) const;

  std::map<std::uint64_t, DnsFault> faults_;  // names as normal_name writes them, "" for all
  std::uint64_t next_id_ = 1;
};

}  // namespace postproof::sim
