#include "mta/route/router.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "tests/sim/dns/dns_world.h"

using namespace postproof;
using namespace postproof::route;
using postproof::sim::DnsFault;
using postproof::sim::DnsFaultKind;
using postproof::sim::test::DnsWorld;
using postproof::sim::test::ip;
using postproof::sim::test::zone;

namespace {

constexpr const char* kZone = R"(
dest.example.      MX 20 mx2.dest.example.
dest.example.      MX 10 mx1.dest.example.
mx1.dest.example.  A 192.0.2.1
mx1.dest.example.  A 192.0.2.2
mx1.dest.example.  AAAA 2001:db8::1
mx2.dest.example.  A 192.0.2.3
host.example.      A 192.0.2.4
host.example.      AAAA 2001:db8::4
empty.example.     TXT "neither MX nor address"
null.example.      MX 0 .
nullish.example.   MX 0 .
nullish.example.   MX 10 mx1.dest.example.
cname.example.     CNAME dest.example.
numeric.example.   A 192.0.2.9
numeric.example.   MX 10 192.0.2.9.
mxcname.example.   MX 10 alias.example.
alias.example.     CNAME mx1.dest.example.
noaddr.example.    A 192.0.2.9
noaddr.example.    MX 10 empty.example.
noaddr.example.    MX 20 gone.example.
half.example.      MX 10 gone.example.
half.example.      MX 20 mx2.dest.example.
zero.example.      MX 10 z.zero.example.
z.zero.example.    A 0.0.0.0
z.zero.example.    AAAA ::
z.zero.example.    AAAA ::ffff:192.0.2.1
loop.example.      MX 10 l.loop.example.
l.loop.example.    A 127.0.0.1
l.loop.example.    AAAA ::1
zeroed.example.    A 0.0.0.0
selfname.example.  MX 10 mx1.dest.example.
selfname.example.  MX 20 us.example.
selfname.example.  MX 30 mx2.dest.example.
selfaddr.example.  MX 10 mx1.dest.example.
selfaddr.example.  MX 20 other-name-of-us.example.
selfaddr.example.  MX 20 mx2.dest.example.
selfonly.example.  MX 10 other-name-of-us.example.
selfonly.example.  MX 20 mx2.dest.example.
us.example.        A 192.0.2.25
other-name-of-us.example. A 192.0.2.25
temp.example.      MX 10 broken.example.
temp.example.      MX 20 mx2.dest.example.
alltemp.example.   MX 10 broken.example.
alltemp.example.   MX 20 gone.example.
tempself.example.  MX 10 broken.example.
tempself.example.  MX 20 other-name-of-us.example.
)";

const std::vector<DnsFault> kFaults{DnsFault{DnsFaultKind::servfail, "broken.example", 0}};

RouterSettings settings() {
  RouterSettings all;
  all.hostname = "us.example";
  all.addresses = {ip("192.0.2.25"), ip("2001:db8::25")};
  return all;
}

RouterSettings with_smarthost(Smarthost smarthost) {
  RouterSettings all = settings();
  all.smarthost = std::move(smarthost);
  return all;
}

struct Route {
  std::string site;     // key, or the error's code
  std::string targets;  // "host endpoint" each, or the error's code
  std::string what;     // of the error
};

Task<Route> route_once(Router& router, std::string domain) {
  Route route;
  Address recipient;
  recipient.local_part = "bob";
  recipient.domain = std::move(domain);
  const Result<std::shared_ptr<const Site>> site = co_await router.site_for(std::move(recipient));
  if (!site) {
    route.site = to_string(site.error().code);
    route.what = site.error().what;
    co_return route;
  }
  route.site = (*site)->key;
  const Result<std::vector<Target>> targets = co_await router.targets(*site);
  if (!targets) {
    route.targets = to_string(targets.error().code);
    route.what = targets.error().what;
    co_return route;
  }
  for (const Target& target : *targets) {
    route.targets += fmt::format("{}{}", route.targets.empty() ? "" : " ", target.endpoint.to_string());
  }
  co_return route;
}

Route route_in(DnsWorld& world, const std::string& domain, const RouterSettings& how = settings()) {
  Route route;
  world.run([&](Env& env) -> Task<void> {
    dns::ResolverSettings servers;
    servers.servers = {Endpoint(ip("192.0.2.53"), 53)};
    dns::Resolver resolver(env, servers);
    Router router(env, resolver, how);
    route = co_await route_once(router, domain);
    co_await resolver.close();
  });
  return route;
}

Route route_to(const std::string& domain, const RouterSettings& how = settings()) {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone), {}, kFaults);
  return route_in(world, domain, how);
}

std::string text(Errc code) { return std::string(to_string(code)); }

}  // namespace

TEST_CASE("from a domain to what is dialed (RFC 5321 section 5.1, RFC 7505)") {
  const std::string mx1 = "[2001:db8::1]:25 192.0.2.1:25 192.0.2.2:25";
  const std::string mx2 = "192.0.2.3:25";
  struct Case {
    const char* goal;
    const char* domain;
    std::string site, targets;
  } cases[] = {
      {"G01 G03 G15 by preference, each address, v6 first", "dest.example", "mx1.dest.example>mx2.dest.example",
       mx1 + " " + mx2},
      {"case and trailing dot", "DEST.example.", "mx1.dest.example>mx2.dest.example", mx1 + " " + mx2},
      {"G04 implicit MX", "host.example", "host.example", "[2001:db8::4]:25 192.0.2.4:25"},
      {"G05 MX present, none usable", "numeric.example", text(Errc::dns_no_usable_mx), ""},
      {"G05 MX present, none with an address", "noaddr.example", "empty.example>gone.example",
       text(Errc::dns_no_usable_mx)},
      {"G06 an alias", "cname.example", "mx1.dest.example>mx2.dest.example", mx1 + " " + mx2},
      {"G07 ourselves by name", "selfname.example", "mx1.dest.example", mx1},
      {"G07 ourselves by address, equals go too", "selfaddr.example",
       "mx1.dest.example>mx2.dest.example,other-name-of-us.example", mx1},
      {"G07 only ourselves by address", "selfonly.example", "other-name-of-us.example>mx2.dest.example",
       text(Errc::dns_self_mx)},
      {"G07 ourselves as implicit MX", "us.example", text(Errc::dns_self_mx), ""},
      {"G07 ourselves as implicit MX by address", "other-name-of-us.example", "other-name-of-us.example",
       text(Errc::dns_self_mx)},
      {"G08 no such domain", "gone.example", text(Errc::dns_no_such_domain), ""},
      {"G08 no data", "empty.example", "empty.example", text(Errc::dns_no_data)},
      {"G09 SERVFAIL", "broken.example", text(Errc::dns_temporary), ""},
      {"one host's trouble is passed over", "temp.example", "broken.example>mx2.dest.example", mx2},
      {"trouble of one, nothing of the other", "alltemp.example", "broken.example>gone.example",
       text(Errc::dns_temporary)},
      {"trouble of a better one than us", "tempself.example", "broken.example>other-name-of-us.example",
       text(Errc::dns_temporary)},
      {"a host without address is passed over", "half.example", "gone.example>mx2.dest.example", mx2},
      {"G10 the MX is an alias", "mxcname.example", "alias.example", mx1},
      {"G10 0.0.0.0, ::, IPv4-mapped", "zero.example", "z.zero.example", text(Errc::dns_no_usable_mx)},
      {"G10 loopback", "loop.example", "l.loop.example", text(Errc::dns_no_usable_mx)},
      {"implicit MX at 0.0.0.0", "zeroed.example", "zeroed.example", text(Errc::dns_no_usable_mx)},
      {"G12 null MX", "null.example", text(Errc::dns_null_mx), ""},
      {"G13 null MX beside another", "nullish.example", "mx1.dest.example", mx1},
      {"G19 address literals", "[192.0.2.9]", "[192.0.2.9]", "192.0.2.9:25"},
      {"G19 IPv6", "[IPv6:2001:DB8:0::9]", "[IPv6:2001:db8::9]", "[2001:db8::9]:25"},
      {"a literal on loopback", "[127.0.0.1]", "[127.0.0.1]", "127.0.0.1:25"},
      {"a literal that is unspecified", "[0.0.0.0]", "[0.0.0.0]", text(Errc::dns_no_usable_mx)},
      {"a literal that is ours", "[192.0.2.25]", "[192.0.2.25]", text(Errc::dns_self_mx)},
      {"no literal", "[mail]", text(Errc::dns_no_such_domain), ""},
      {"an untagged IPv6 literal", "[2001:db8::9]", text(Errc::dns_no_such_domain), ""},
      {"G20 single label: no search suffix", "dest", text(Errc::dns_no_such_domain), ""},
      {"no domain name", "a b.example", text(Errc::dns_no_such_domain), ""},
      {"no domain", "", text(Errc::dns_no_such_domain), ""},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.goal));
    const Route route = route_to(c.domain);
    CHECK(route.site == c.site);
    CHECK(route.targets == c.targets);
    CAPTURE(route.what);
    const bool failed = route.site == c.site && (route.what.empty() == (c.targets.find(':') != std::string::npos));
    CHECK(failed);
  }
}

TEST_CASE("G12 null MX: no address is looked up") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone), {}, kFaults);
  CHECK(route_in(world, "null.example").site == text(Errc::dns_null_mx));
  CHECK(world.asked() == std::vector<std::string>{"dns1 MX null.example udp: noerror: MX 0 ."});
}

TEST_CASE("G08 NXDOMAIN of the MX question asks for no address") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone), {}, kFaults);
  CHECK(route_in(world, "gone.example").site == text(Errc::dns_no_such_domain));
  CHECK(world.asked().size() == 1);
}

TEST_CASE("settings: one family only, another port, loopback") {
  RouterSettings v4 = settings();
  v4.ipv6 = false;
  CHECK(route_to("dest.example", v4).targets == "192.0.2.1:25 192.0.2.2:25 192.0.2.3:25");
  RouterSettings v6 = settings();
  v6.ipv4 = false;
  CHECK(route_to("dest.example", v6).targets == "[2001:db8::1]:25");
  RouterSettings port = settings();
  port.port = 2525;
  const Route route = route_to("selfonly.example", port);
  CHECK(route.site == "other-name-of-us.example:2525>mx2.dest.example:2525");
  CHECK(route.targets == text(Errc::dns_self_mx));
  RouterSettings loopback = settings();
  loopback.loopback_mx = true;
  CHECK(route_to("loop.example", loopback).targets == "[::1]:25 127.0.0.1:25");
}

TEST_CASE("a smarthost takes everything") {
  const std::string mx1 = "[2001:db8::1]:587 192.0.2.1:587 192.0.2.2:587";
  struct Case {
    const char* goal;
    Smarthost smarthost;
    std::string site, targets;
  } cases[] = {
      {"an address", {"[192.0.2.1]", false, 25}, "[192.0.2.1]", "192.0.2.1:25"},
      {"an address on loopback", {"[127.0.0.1]", false, 2525}, "[127.0.0.1]:2525", "127.0.0.1:2525"},
      {"an IPv6 address without its tag", {"[2001:db8::1]", false, 25}, "[IPv6:2001:db8::1]", "[2001:db8::1]:25"},
      {"an address without brackets", {"192.0.2.1", true, 25}, "[192.0.2.1]", "192.0.2.1:25"},
      {"our own address: configuration is obeyed", {"[192.0.2.25]", false, 25}, "[192.0.2.25]", "192.0.2.25:25"},
      {"a name without its MX", {"dest.example", false, 25}, "dest.example", text(Errc::dns_temporary)},
      {"a name", {"mx1.dest.example", false, 587}, "mx1.dest.example:587", mx1},
      {"a name in brackets", {"[Mx1.dest.example]", false, 587}, "mx1.dest.example:587", mx1},
      {"its MX", {"dest.example", true, 587}, "mx1.dest.example:587>mx2.dest.example:587", mx1 + " 192.0.2.3:587"},
      {"no MX: itself", {"mx1.dest.example", true, 587}, "mx1.dest.example:587", mx1},
      {"a name on loopback", {"l.loop.example", false, 25}, "l.loop.example", "[::1]:25 127.0.0.1:25"},
      {"no such name: mail waits", {"gone.example", false, 25}, "gone.example", text(Errc::dns_temporary)},
      {"no such domain: mail waits", {"gone.example", true, 25}, text(Errc::dns_temporary), ""},
      {"a null MX: mail waits", {"null.example", true, 25}, text(Errc::dns_temporary), ""},
      {"no name", {"a b", false, 25}, text(Errc::dns_temporary), ""},
      {"a host that speaks LMTP", {"[192.0.2.1]", false, 24, true}, "lmtp:[192.0.2.1]:24", "192.0.2.1:24"},
      {"one by name", {"mx1.dest.example", false, 24, true}, "lmtp:mx1.dest.example:24",
       "[2001:db8::1]:24 192.0.2.1:24 192.0.2.2:24"},
      {"one on a socket", {"", false, 24, true, "/run/lmtp"}, "lmtp:unix:/run/lmtp", "unix:/run/lmtp"},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.goal));
    for (const char* domain : {"host.example", "[192.0.2.9]", "gone.example"}) {
      const Route route = route_to(domain, with_smarthost(c.smarthost));
      CHECK(route.site == c.site);
      CHECK(route.targets == c.targets);
    }
  }
}

TEST_CASE("G02 equals are shuffled anew for each attempt, evenly, and never across preferences") {
  std::string text_of_zone = "even.example. MX 20 backup.even.example.\nbackup.even.example. A 192.0.2.9\n";
  for (int i = 1; i <= 3; ++i) {
    text_of_zone += fmt::format("even.example. MX 10 mx{0}.even.example.\nmx{0}.even.example. A 192.0.2.{0}\n", i);
  }
  std::map<std::string, int> orders;
  std::map<std::string, int> first_of_seed;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    DnsWorld world(seed);
    world.serve("dns1", "192.0.2.53", zone(text_of_zone));
    world.run([&](Env& env) -> Task<void> {
      dns::ResolverSettings servers;
      servers.servers = {Endpoint(ip("192.0.2.53"), 53)};
      dns::Resolver resolver(env, servers);
      Router router(env, resolver, settings());
      for (int i = 0; i < 60; ++i) {
        const Route route = co_await route_once(router, "even.example");
        CHECK(route.targets.ends_with("192.0.2.9:25"));
        ++orders[route.targets];
        if (i == 0) ++first_of_seed[route.targets];
      }
      co_await resolver.close();
    });
  }
  CHECK(orders.size() == 6);
  // 1200 draws over 6 orders: 200 each, standard deviation 13.
  for (const auto& [order, count] : orders) {
    CAPTURE(order);
    CHECK(count > 130);
    CHECK(count < 270);
  }
  CHECK(first_of_seed.size() > 2);
}

TEST_CASE("G11 very many MX records, and very many addresses, are bounded") {
  std::string text_of_zone;
  for (int i = 0; i < 60; ++i) {
    text_of_zone += fmt::format("many.example. MX {0} mx{0}.many.example.\nmx{0}.many.example. A 10.0.0.{0}\n", i);
  }
  for (int i = 0; i < 60; ++i) text_of_zone += fmt::format("wide.example. A 10.0.1.{}\n", i);
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(text_of_zone));
  const auto count = [](const std::string& targets) { return 1 + std::count(targets.begin(), targets.end(), ' '); };
  CHECK(count(route_in(world, "many.example").targets) == 50);
  CHECK(count(route_in(world, "wide.example").targets) == 20);
}

TEST_CASE("a domain whose mail needs another level of TLS has a site of its own") {
  RouterSettings how = settings();
  how.tls.rules = {tls::Rule{{"dest.example"}, tls::Level::verify}, tls::Rule{{"other.example"}, tls::Level::may}};
  CHECK(route_to("Dest.Example", how).site == "mx1.dest.example>mx2.dest.example tls=verify");
  how.tls.level = tls::Level::verify;
  CHECK(route_to("dest.example", how).site == "mx1.dest.example>mx2.dest.example");
}
