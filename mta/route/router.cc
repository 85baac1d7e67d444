#include "mta/route/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "mta/base/text.h"
#include "mta/dns/name.h"
#include "mta/env/hop.h"
#include "mta/env/task_group.h"
#include "mta/route/mx_list.h"

namespace postproof::route {

namespace {

using SitePtr = std::shared_ptr<const Site>;

// Addresses of one attempt; hosts of a worse preference are not looked up once there are as many.
constexpr std::size_t kTargetsEnough = 50;
constexpr std::size_t kAddressesPerHostMax = 20;

// "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3).
std::optional<IpAddress> parse_literal(std::string_view text) {
  constexpr std::string_view kTag = "IPv6:";
  if (!text.starts_with('[') || !text.ends_with(']') || text.size() < 2) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const bool tagged = starts_with_ignoring_case(text, kTag);
  if (tagged) text.remove_prefix(kTag.size());
  const auto address = IpAddress::parse(text);
  if (!address || address->is_v6() != tagged) return std::nullopt;
  return address;
}

// A smarthost's address, as people write one in a configuration: brackets and tag are theirs to leave out.
std::optional<IpAddress> parse_configured(std::string_view text) {
  if (auto literal = parse_literal(text)) return literal;
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return IpAddress::parse(text);
}

bool is_v4_mapped(const IpAddress& address) {
  static const IpNetwork kMapped = *IpNetwork::parse("::ffff:0:0/96");
  return address.is_v6() && kMapped.contains(address);
}

SitePtr lone_site(SiteHost host, SiteOrigin origin, bool lmtp = false) {
  return std::make_shared<const Site>(make_site({std::move(host)}, origin, lmtp));
}

SitePtr literal_site(std::string name, const IpAddress& address, std::uint16_t port, SiteOrigin origin) {
  return lone_site(SiteHost{0, std::move(name), port, address}, origin);
}

SitePtr name_site(std::string name, std::uint16_t port, SiteOrigin origin) {
  return lone_site(SiteHost{0, std::move(name), port, std::nullopt}, origin);
}

// The two lookups of one host.
struct HostLookup {
  dns::Lookup v4, v6;
};

}  // namespace

struct Router::Impl {
  Impl(Env& e, dns::Resolver& r, RouterSettings s)
      : env(e), resolver(r), settings(std::move(s)), random(e.entropy.stream("route.mx")) {}

  Task<Result<SitePtr>> site_for(Address recipient) {
    const std::string destination = settings.smarthost ? ascii_lower(settings.smarthost->host) : recipient.domain_key();
    auto site = co_await hosts_for(std::move(recipient));
    if (!site) co_return site;
    co_return std::make_shared<const Site>(with_tls(**site, settings.tls.of(destination), settings.tls.level));
  }

  Task<Result<SitePtr>> hosts_for(Address recipient) {
    if (settings.smarthost) co_return co_await smarthost_site();
    if (recipient.domain.empty()) {
      co_return fail(Errc::dns_no_such_domain, fmt::format("{} has no domain", recipient.to_string()));
    }
    if (recipient.has_literal_domain()) {
      const auto address = parse_literal(recipient.domain);
      if (!address) co_return fail(Errc::dns_no_such_domain, fmt::format("{} is no address", recipient.domain));
      co_return literal_site(address->to_literal(), *address, settings.port, SiteOrigin::literal);
    }
    co_return co_await mx_site(recipient.domain_key(), settings.port, SiteOrigin::mx);
  }

  Task<Result<SitePtr>> smarthost_site() {
    const Smarthost& smarthost = *settings.smarthost;
    if (!smarthost.socket.empty()) {
      SiteHost host{0, "unix:" + smarthost.socket, smarthost.port, std::nullopt, smarthost.socket};
      co_return lone_site(std::move(host), SiteOrigin::smarthost, smarthost.lmtp);
    }
    if (const auto address = parse_configured(smarthost.host)) {
      SiteHost host{0, address->to_literal(), smarthost.port, *address};
      co_return lone_site(std::move(host), SiteOrigin::smarthost, smarthost.lmtp);
    }
    if (smarthost.lookup_mx) {
      Result<SitePtr> site = co_await mx_site(smarthost.host, smarthost.port, SiteOrigin::smarthost);
      if (!site) co_return fail(Errc::dns_temporary, "smarthost: " + site.error().what);
      co_return site;
    }
    std::string_view bare = smarthost.host;
    if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
    const std::expected<std::string, std::string> name = dns::normal_name(bare);
    if (!name) co_return fail(Errc::dns_temporary, "smarthost: " + name.error());
    SiteHost host{0, *name, smarthost.port, std::nullopt};
    co_return lone_site(std::move(host), SiteOrigin::smarthost, smarthost.lmtp);
  }

  // By the MX records of the domain; `origin` is kept for a smarthost, and else tells explicit from implicit.
  Task<Result<SitePtr>> mx_site(std::string domain, std::uint16_t port, SiteOrigin origin) {
    const dns::Lookup lookup = co_await resolver.query(domain, dns::Type::mx);
    switch (lookup.outcome) {
      case dns::Outcome::temporary: co_return fail(Errc::dns_temporary, mx_trouble(domain, lookup));
      case dns::Outcome::no_such_domain: co_return fail(Errc::dns_no_such_domain, mx_trouble(domain, lookup));
      case dns::Outcome::no_data: {
        // RFC 5321 section 5.1: the domain is its own MX of preference 0.
        if (origin == SiteOrigin::mx && equal_ignoring_case(domain, settings.hostname)) {
          co_return fail(Errc::dns_self_mx, fmt::format("{} has no MX record and is this host", domain));
        }
        co_return name_site(domain, port, origin == SiteOrigin::mx ? SiteOrigin::implicit_mx : origin);
      }
      case dns::Outcome::found: break;
    }
    std::vector<dns::Mx> records;
    for (const dns::Record& record : lookup.records) {
      if (const auto* mx = std::get_if<dns::Mx>(&record)) records.push_back(*mx);
    }
    Result<std::vector<dns::Mx>> usable = usable_mx(domain, std::move(records), settings.hostname);
    if (!usable) co_return std::unexpected(std::move(usable.error()));
    std::vector<SiteHost> hosts;
    for (dns::Mx& mx : *usable) hosts.push_back(SiteHost{mx.preference, std::move(mx.host), port, std::nullopt});
    co_return std::make_shared<const Site>(make_site(std::move(hosts), origin));
  }

  static std::string mx_trouble(const std::string& domain, const dns::Lookup& lookup) {
    return fmt::format("MX lookup of {}: {}", domain, lookup.detail);
  }

  // What is known while a site's hosts are gone through.
  struct Search {
    std::vector<Target> targets;
    std::optional<std::uint16_t> ours;  // the preference at which one of our own addresses stood
    std::string temporary;              // the first temporary failure
    std::string missing;                // the first host without an address
    std::string unusable;               // the first address that was passed over
  };

  Task<Result<std::vector<Target>>> targets(SitePtr site) {
    const SiteHost& first = site->hosts.front();
    if (!first.socket.empty()) {
      std::vector<Target> only;
      only.push_back(Target{first, Endpoint::unix_path(first.socket)});
      co_return only;
    }
    Search search;
    std::span<const SiteHost> left(site->hosts);
    while (!left.empty() && !search.ours && search.targets.size() < kTargetsEnough) {
      const std::uint16_t preference = left.front().preference;
      std::size_t equals = 1;
      while (equals < left.size() && left[equals].preference == preference) ++equals;
      std::vector<SiteHost> group(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(equals));
      left = left.subspan(equals);
      random->shuffle(std::span<SiteHost>(group));
      co_await add_group(search, *site, group);
    }
    if (search.ours) {
      std::erase_if(search.targets, [&](const Target& t) { return t.host.preference >= *search.ours; });
    }
    if (!search.targets.empty()) co_return std::move(search.targets);
    co_return std::unexpected(nothing_to_dial(*site, search));
  }

  // Hosts of one preference are looked up at once, and taken in their shuffled order.
  Task<void> add_group(Search& search, const Site& site, const std::vector<SiteHost>& group) {
    std::vector<HostLookup> lookups(group.size());
    TaskGroup asking(env.executor);
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (group[i].literal) continue;
      if (settings.ipv6) asking.spawn(look_up(group[i].name, dns::Type::aaaa, lookups[i].v6));
      if (settings.ipv4) asking.spawn(look_up(group[i].name, dns::Type::a, lookups[i].v4));
    }
    co_await asking.join();
    for (std::size_t i = 0; i < group.size(); ++i) {
      const std::vector<IpAddress> addresses =
          group[i].literal ? std::vector<IpAddress>{*group[i].literal} : addresses_of(group[i], lookups[i], search);
      for (const IpAddress& address : addresses) add_address(search, site, group[i], address);
    }
  }

  Task<void> look_up(std::string name, dns::Type type, dns::Lookup& into) {
    into = co_await resolver.query(std::move(name), type);
  }

  // IPv6 and IPv4 in turn, IPv6 first.
  std::vector<IpAddress> addresses_of(const SiteHost& host, const HostLookup& lookup, Search& search) const {
    std::vector<IpAddress> addresses;
    const std::size_t most = std::max(lookup.v6.records.size(), lookup.v4.records.size());
    for (std::size_t i = 0; i < most && addresses.size() < kAddressesPerHostMax; ++i) {
      for (const dns::Lookup* one : {&lookup.v6, &lookup.v4}) {
        if (one->outcome != dns::Outcome::found || i >= one->records.size()) continue;
        if (const auto* address = std::get_if<IpAddress>(&one->records[i])) addresses.push_back(*address);
      }
    }
    if (!addresses.empty()) return addresses;
    const bool temporary = (settings.ipv6 && lookup.v6.outcome == dns::Outcome::temporary) ||
                           (settings.ipv4 && lookup.v4.outcome == dns::Outcome::temporary);
    if (temporary && search.temporary.empty()) {
      const dns::Lookup& failed = settings.ipv4 && lookup.v4.outcome == dns::Outcome::temporary ? lookup.v4 : lookup.v6;
      search.temporary = fmt::format("address lookup of {}: {}", host.name, failed.detail);
    }
    if (!temporary && search.missing.empty()) search.missing = host.name;
    return addresses;
  }

  void add_address(Search& search, const Site& site, const SiteHost& host, const IpAddress& address) const {
    const bool configured = site.origin == SiteOrigin::smarthost;
    const bool given = configured || site.origin == SiteOrigin::literal;
    // Connecting to 0.0.0.0 or :: reaches the host itself; an IPv4-mapped address has no place in DNS.
    const bool loops_back = address.is_loopback() && !given && !settings.loopback_mx;
    if (address.is_unspecified() || is_v4_mapped(address) || loops_back) {
      if (search.unusable.empty()) search.unusable = fmt::format("{} {}", host.name, address.to_literal());
      return;
    }
    const bool ours =
        std::find(settings.addresses.begin(), settings.addresses.end(), address) != settings.addresses.end();
    if (ours && host.port == settings.port && !configured) {
      search.ours = host.preference;
      return;
    }
    search.targets.push_back(Target{host, Endpoint(address, host.port)});
  }

  static Error nothing_to_dial(const Site& site, const Search& search) {
    if (!search.temporary.empty()) return Error{Errc::dns_temporary, search.temporary};
    if (search.ours) return Error{Errc::dns_self_mx, fmt::format("{} is this host", site.key)};
    std::string what = search.unusable.empty() ? fmt::format("{} has no address", search.missing)
                                               : fmt::format("{} is no address to dial", search.unusable);
    if (site.origin == SiteOrigin::smarthost) return Error{Errc::dns_temporary, "smarthost: " + what};
    if (site.origin == SiteOrigin::implicit_mx && search.unusable.empty()) {
      return Error{Errc::dns_no_data, fmt::format("{} has neither MX nor address record", site.hosts.front().name)};
    }
    return Error{Errc::dns_no_usable_mx, std::move(what)};
  }

  Env& env;
  dns::Resolver& resolver;
  const RouterSettings settings;
  std::unique_ptr<Random> random;
};

Router::Router(Env& env, dns::Resolver& resolver, RouterSettings settings)
    : impl_(std::make_unique<Impl>(env, resolver, std::move(settings))) {}
Router::~Router() = default;

Task<Result<std::shared_ptr<const Site>>> Router::site_for(Address recipient) {
  Task<Result<SitePtr>> task = impl_->site_for(std::move(recipient));
  co_return co_await hop(impl_->env.executor, std::move(task));
}

Task<Result<std::vector<Target>>> Router::targets(std::shared_ptr<const Site> site) {
  Task<Result<std::vector<Target>>> task = impl_->targets(std::move(site));
  co_return co_await hop(impl_->env.executor, std::move(task));
}

}  // namespace postproof::route
