// What the simulated resolver knows of the world: records from zone text, and the addresses of hosts.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/endpoint.h"
#include "mta/base/result.h"
#include "mta/base/time.h"

namespace postproof::sim {

// Zones are the longest suffixes with an SOA, else one for each name given to add_zone (those in `secure`,
// `bogus`, `servfail`, `timeout`) or owning an MX, with an SOA and a negative TTL of 300 s made up.
class ZoneData {
 public:
  ZoneData();
  ~ZoneData();
  ZoneData(ZoneData&&) noexcept;
  ZoneData& operator=(ZoneData&&) noexcept;

  // Master-file text (RFC 1035 section 5): $ORIGIN, $TTL, parentheses and comments; the origin is the root, so a
  // name without a trailing dot is complained of, until $ORIGIN says what it is below. After an error nothing
  // of the text is kept. The error's text ends in "line N: ..." of the text.
  Result<void> add_text(std::string_view zone_text, Duration default_ttl = std::chrono::hours{1});
  // A change of the zones. First the names in `remove` lose their records, "dest.example", or those of one type,
  // "dest.example MX"; addresses of hosts too. Then what the text has takes the place of what its names have of its
  // types (a CNAME: of all that its name has). Errors as of add_text, and a name or type that is none; then nothing
  // is changed.
  Result<void> change(std::string_view zone_text, const std::vector<std::string>& remove);
  // A or AAAA of a host, unless the text has given that name an address (or an alias) of its own. False, and
  // nothing is added: the name is no domain name.
  bool add_host(std::string_view name, const IpAddress& address);
  // A zone of its own, unless an SOA of the text stands at the name or above it. "" is the root.
  // False: the name is no domain name.
  bool add_zone(std::string_view name);
  // The text's names and types, for checks of scenarios: "mx1.dest.example A", sorted.
  std::vector<std::string> names() const;

  struct Impl;
  Impl& impl() { return *impl_; }
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Whether text is records at all, of any names and types. Errors as of ZoneData::add_text.
Result<void> check_records(std::string_view text);

}  // namespace postproof::sim
