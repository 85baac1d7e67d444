#include "mta/route/site.h"

#include <doctest/doctest.h>

using namespace postproof;
using namespace postproof::route;

namespace {

SiteHost host(std::uint16_t preference, std::string name, std::uint16_t port = 25) {
  return SiteHost{preference, std::move(name), port, std::nullopt};
}
std::string key(std::vector<SiteHost> hosts) { return make_site(std::move(hosts), SiteOrigin::mx).key; }

}  // namespace

TEST_CASE("equal hosts in an equal order are one site") {
  CHECK(key({host(10, "mx1.example")}) == "mx1.example");
  CHECK(key({host(20, "mx2.example"), host(10, "mx1.example")}) == "mx1.example>mx2.example");
  CHECK(key({host(1, "mx1.example"), host(2, "mx2.example")}) ==
        key({host(20, "mx2.example"), host(10, "mx1.example")}));
  CHECK(key({host(10, "b.example"), host(10, "a.example")}) == "a.example,b.example");
  CHECK(key({host(10, "a.example"), host(10, "b.example")}) == key({host(10, "b.example"), host(10, "a.example")}));
  // Another order is another site: its lanes dial in that order.
  CHECK(key({host(10, "a.example"), host(20, "b.example")}) != key({host(20, "a.example"), host(10, "b.example")}));
  CHECK(key({host(10, "a.example", 2525)}) == "a.example:2525");
  const Site site = make_site({host(20, "mx2.example"), host(10, "mx1.example")}, SiteOrigin::mx);
  CHECK(site.hosts.front().name == "mx1.example");
}
