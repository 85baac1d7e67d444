#include "mta/route/site.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/check.h"

namespace postproof::route {

Site make_site(std::vector<SiteHost> hosts, SiteOrigin origin, bool lmtp) {
  PP_CHECK(!hosts.empty(), "a site has at least one host");
  std::sort(hosts.begin(), hosts.end());
  Site site;
  if (lmtp) site.key = "lmtp:";
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (i > 0) site.key += hosts[i].preference == hosts[i - 1].preference ? ',' : '>';
    site.key += hosts[i].name;
    if (hosts[i].port != 25 && hosts[i].socket.empty()) site.key += ':' + std::to_string(hosts[i].port);
  }
  site.hosts = std::move(hosts);
  site.origin = origin;
  site.lmtp = lmtp;
  return site;
}

Site with_tls(Site site, tls::Level level, tls::Level usual) {
  site.tls = level;
  if (level != usual) site.key += fmt::format(" tls={}", tls::to_string(level));
  return site;
}

}  // namespace postproof::route
