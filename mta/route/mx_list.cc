#include "mta/route/mx_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "mta/base/text.h"
#include "mta/dns/name.h"

namespace postproof::route {

Result<std::vector<dns::Mx>> usable_mx(std::string_view domain, std::vector<dns::Mx> records,
                                       std::string_view our_hostname) {
  std::sort(records.begin(), records.end());
  const bool null_mx = std::all_of(records.begin(), records.end(), [](const dns::Mx& mx) { return mx.host.empty(); });
  if (!records.empty() && null_mx) {
    return fail(Errc::dns_null_mx, fmt::format("{} takes no mail: its MX is \".\" (RFC 7505)", domain));
  }

  std::vector<dns::Mx> usable;
  std::set<std::string> seen;
  std::optional<std::uint16_t> ours;  // our own preference
  std::string left_out;
  for (dns::Mx& mx : records) {
    // RFC 5321 section 5.1: ourselves and every host that is no better are discarded, or mail would run in
    // circles among the backups. Equals of ours that sort before it go below.
    if (ours) break;
    if (equal_ignoring_case(mx.host, our_hostname)) {
      ours = mx.preference;
      continue;
    }
    if (!dns::is_host_name(mx.host)) {
      if (left_out.empty()) left_out = fmt::format(": \"{}\" is no host name", mx.host);
      continue;
    }
    if (!seen.insert(mx.host).second) continue;  // its better preference stands already
    usable.push_back(std::move(mx));
  }
  if (ours) {
    std::erase_if(usable, [&](const dns::Mx& mx) { return mx.preference >= *ours; });
    if (usable.empty()) {
      return fail(Errc::dns_self_mx, fmt::format("the best MX of {} is this host, {}", domain, our_hostname));
    }
  }
  if (usable.empty()) {
    return fail(Errc::dns_no_usable_mx, fmt::format("no MX of {} can be used{}", domain, left_out));
  }
  if (usable.size() > kMxHostsMax) usable.resize(kMxHostsMax);
  return usable;
}

}  // namespace postproof::route
