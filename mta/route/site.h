// A site: the set of hosts that take mail for one or many domains. Limits, lanes and what is known of
// trouble belong to the site, so that all domains of one provider share them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mta/base/endpoint.h"
#include "mta/base/result.h"
#include "mta/tls/policy.h"

namespace postproof::route {

struct SiteHost {
  std::uint16_t preference = 0;  // lower is tried first; equals in random order (RFC 5321 section 5.1)
  std::string name;              // MX host, smarthost, or an address literal's text
  std::uint16_t port = 25;
  std::optional<IpAddress> literal;  // known without DNS
  std::string socket{};              // path of a Unix socket, in place of addresses and port; empty: none
  auto operator<=>(const SiteHost&) const = default;
};

// How the hosts were found: what it means when none of them has an address depends on it.
enum class SiteOrigin : std::uint8_t {
  mx,           // MX records of the recipient's domain
  implicit_mx,  // the domain itself, for want of MX records (RFC 5321 section 5.1)
  literal,      // the recipient's domain is an address
  smarthost,    // configuration
};

struct Site {
  // The hosts as text, equals of one preference by name. Equal hosts in an equal order have equal keys,
  // whatever the preference values are: "mx1.example,mx2.example>backup.example". A port other than 25
  // stands behind its host, "lmtp:" before all of them if they speak that, and the level of TLS behind them all where it
  // is not the usual one: " tls=verify".
  std::string key;
  std::vector<SiteHost> hosts;  // by preference, then name; at least one
  SiteOrigin origin = SiteOrigin::mx;
  bool lmtp = false;                 // its hosts speak LMTP (RFC 2033)
  tls::Level tls = tls::Level::may;  // of all mail that goes there: domains with another policy are another site
};

// Sorts the hosts and makes the key. `hosts` must not be empty.
Site make_site(std::vector<SiteHost> hosts, SiteOrigin origin, bool lmtp = false);

// The same site for mail of this level of TLS; `usual` shows not in its key.
Site with_tls(Site site, tls::Level level, tls::Level usual);

}  // namespace postproof::route
