#include "sim/dns/scenario_zones.h"

namespace postproof::sim {

Result<void> add_scenario(const Scenario& scenario, ZoneData& zones) {
  const DnsPart& dns = scenario.dns;
  Result<void> added = zones.add_text(dns.zone);
  for (const auto* names : {&dns.secure, &dns.bogus, &dns.servfail, &dns.timeout}) {
    for (const std::string& name : *names) zones.add_zone(name);
  }
  const auto add = [&](const HostPart& part) {
    for (const std::string& name : part.names) {
      for (const IpAddress& address : part.addresses) zones.add_host(name, address);
    }
  };
  for (const MtaPart& part : scenario.mtas) add(part);
  for (const PeerPart& part : scenario.peers) add(part);
  for (const ClientPart& part : scenario.clients) add(part);
  return added;
}

std::optional<DnsFault> dns_fault_of(const Fault& fault, std::uint32_t line) {
  constexpr std::string_view kLayer = "dns.";
  const auto kind = dns_fault_kind(std::string_view(fault.kind).substr(kLayer.size()));
  if (!kind) return std::nullopt;
  DnsFault dns_fault{*kind, fault.name, line};
  dns_fault.by = fault.by;
  if (fault.ttl) dns_fault.ttl = static_cast<std::uint32_t>(*fault.ttl / std::chrono::seconds{1});
  dns_fault.records = fault.records;
  dns_fault.section = fault.section == "authority"    ? DnsSection::authority
                      : fault.section == "additional" ? DnsSection::additional
                                                      : DnsSection::answer;
  return dns_fault;
}

std::string describe(const ZoneChange& change) {
  std::string told;
  const auto tell = [&](const std::string& what) { told += (told.empty() ? "" : ", ") + what; };
  for (const std::string& name : change.remove) tell("removes " + name);
  ZoneData fresh;
  if (fresh.add_text(change.zone)) {
    for (const std::string& name : fresh.names()) tell("sets " + name);
  }
  return told;
}

std::vector<DnsFault> standing_dns_faults(const DnsPart& dns) {
  std::vector<DnsFault> faults;
  const auto add = [&](DnsFaultKind kind, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      DnsFault& fault = faults.emplace_back();
      fault.kind = kind;
      fault.name = name;
    }
  };
  add(DnsFaultKind::bogus, dns.bogus);
  add(DnsFaultKind::servfail, dns.servfail);
  add(DnsFaultKind::timeout, dns.timeout);
  return faults;
}

}  // namespace postproof::sim
