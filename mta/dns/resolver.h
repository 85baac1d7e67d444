// The MTA's stub resolver: asks trusted, validating, recursive resolvers over UDP, and TCP after
// truncation (RFC 1035, 7766); caches what they say as long as they say (RFC 2181, 2308); keeps AD.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mta/base/endpoint.h"
#include "mta/env/env.h"

namespace postproof::dns {

enum class Type : std::uint16_t { a = 1, cname = 5, mx = 15, txt = 16, aaaa = 28 };
std::string_view to_string(Type type);

struct Mx {
  std::uint16_t preference = 0;
  std::string host;  // lower case, no trailing dot; empty is the root: null MX (RFC 7505)
  auto operator<=>(const Mx&) const = default;
};

using Record = std::variant<IpAddress, Mx, std::string>;  // A and AAAA; MX; TXT (strings joined) or CNAME (name)

enum class Outcome : std::uint8_t {
  found,           // records holds at least one of the type asked for, behind any CNAMEs
  no_data,         // the name exists, or ends at one that does, and has none of this type
  no_such_domain,  // NXDOMAIN
  temporary,       // SERVFAIL, REFUSED, timeout, lame or senseless answers, from every server
};

struct Lookup {
  Outcome outcome = Outcome::temporary;
  std::vector<Record> records;  // in the order of the answer
  bool authentic = false;       // AD: the resolver has validated it
  std::string detail;           // for people, when not found: "SERVFAIL from 192.0.2.53:53"
};

struct ResolverSettings {
  std::vector<Endpoint> servers;  // asked in turn; at least one
  Duration timeout = 5s;          // of one question to one server
  unsigned rounds = 2;            // times that the list is gone through
  std::size_t cache_entries_max = 10'000;
  Duration ttl_max = 24h;  // RFC 2308 section 5 asks for a ceiling; of answers of either kind
};

class Resolver {
 public:
  // `env` outlives the resolver; lookups may be under way from any thread until close().
  Resolver(Env& env, ResolverSettings settings);
  ~Resolver();

  // The name in text form, ASCII, with or without a trailing dot; no search list is ever applied.
  // Questions for the same name and type that are asked at once share one exchange.
  Task<Lookup> query(std::string name, Type type);

  // Ends exchanges under way as `temporary`; await before destroying.
  Task<void> close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postproof::dns
