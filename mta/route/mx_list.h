// From MX records to the hosts that may be dialed (RFC 5321 section 5.1, RFC 7505). Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/result.h"
#include "mta/dns/resolver.h"

namespace postproof::route {

inline constexpr std::size_t kMxHostsMax = 50;  // of one domain that are kept, the best ones

// The usable ones by preference, then name, each host once. Left out: ourselves and everything that is no
// better than ourselves; "." beside others; what is no host name (an IP address, for one).
// Errors, their texts naming the domain: dns_null_mx, dns_self_mx, dns_no_usable_mx.
Result<std::vector<dns::Mx>> usable_mx(std::string_view domain, std::vector<dns::Mx> records,
                                       std::string_view our_hostname);

}  // namespace postproof::route
