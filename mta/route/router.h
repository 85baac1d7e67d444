// Where a recipient goes: decided by domain, from configuration and MX records (RFC 5321 section 5, RFC 7505).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/dns/resolver.h"
#include "mta/env/env.h"
#include "mta/mail/address.h"
#include "mta/route/site.h"

namespace postproof::route {

struct Smarthost {
  std::string host;        // name or address, with or without brackets
  bool lookup_mx = false;  // written without brackets around a name: its MX records count
  std::uint16_t port = 25;
  bool lmtp = false;       // it speaks LMTP (RFC 2033)
  std::string socket{};    // path of the Unix socket where it listens, in place of host and port; empty: none
};

struct RouterSettings {
  std::string hostname;                // ours: never dialed as an MX
  std::vector<IpAddress> addresses;    // ours: never dialed on our port, unless the smarthost is there
  std::optional<Smarthost> smarthost;  // everything goes there
  std::uint16_t port = 25;             // of MX hosts
  bool ipv4 = true;
  bool ipv6 = true;
  tls::Policy tls;           // by the recipient's domain; of a smarthost by its name
  bool loopback_mx = false;  // MX hosts on 127.0.0.0/8 and ::1 are dialed; else they are passed over
};

// One address to dial, of one host of a site.
struct Target {
  SiteHost host;
  Endpoint endpoint;
};

class Router {
 public:
  // `env` and `resolver` outlive the router.
  Router(Env& env, dns::Resolver& resolver, RouterSettings settings);
  ~Router();

  // The site of a domain. Errors: dns_* codes. Runs on the Env's executor, wherever it is called from.
  // Of a smarthost that cannot be found, dns_temporary: mail is not bounced for a slip in configuration.
  Task<Result<std::shared_ptr<const Site>>> site_for(Address recipient);

  // The endpoints of one attempt in the order to dial them: by preference, equals shuffled anew for each
  // call, each host's addresses (IPv6 and IPv4 in turn), ours and everything no better than ours left out
  // (RFC 5321 section 5.1). Hosts without an address are passed over as long as another has one; so are
  // addresses that cannot be a mail host's (0.0.0.0, ::, IPv4-mapped ones, loopback).
  // Errors: dns_temporary, dns_no_data (implicit MX), dns_no_usable_mx, dns_self_mx.
  Task<Result<std::vector<Target>>> targets(std::shared_ptr<const Site> site);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postproof::route
