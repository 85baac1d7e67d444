#include "sim/dns/zone_lookup.h"

#include <algorithm>
#include <utility>

#include "mta/base/check.h"

namespace postproof::sim {

namespace {

// Where recursive resolvers stop following (unbound: 11, BIND: 16) varies; the loops of scenarios are longer.
constexpr std::size_t kAliasesMax = 16;

using Name = ZoneData::Impl::Name;

// The entry that answers for a name, or null: NXDOMAIN. RFC 4592 section 3.3.1: that of the wildcard right below
// the closest name that exists, if the name itself does not.
const Name* find_entry(const ZoneData::Impl& zones, const std::string& name) {
  const auto exact = zones.names.find(name);
  if (exact != zones.names.end()) return &exact->second;
  for (std::optional<std::string_view> at = parent_name(name); at; at = parent_name(*at)) {
    const std::string encloser(*at);
    if (!zones.names.contains(encloser)) continue;
    const auto wildcard = zones.names.find(encloser.empty() ? "*" : "*." + encloser);
    return wildcard == zones.names.end() ? nullptr : &wildcard->second;
  }
  return nullptr;
}

// A copy under the name that was asked for: a wildcard's records take it on.
dns::LdnsRecord copy_for(const std::string& name, const ldns_rr* record) {
  dns::LdnsRecord copy(ldns_rr_clone(record));
  PP_CHECK(copy != nullptr, "out of memory");
  if (zone_name(ldns_rr_owner(record)) != name) {
    dns::LdnsData owner(ldns_dname_new_frm_str((name + ".").c_str()));
    PP_CHECK(owner != nullptr, "a name that was asked for does not parse");
    ldns_rdf_deep_free(ldns_rr_owner(copy.get()));
    ldns_rr_set_owner(copy.get(), owner.release());
  }
  return copy;
}

}  // namespace

ZoneAnswer look_up(const ZoneData::Impl& zones, const std::set<std::string>& secure, const DnsFaults& faults,
                   std::string name, ldns_rr_type type, const DnsFault* first, bool validate) {
  ZoneAnswer result;
  result.secure = true;
  std::vector<std::string> seen{name};
  const auto is_secure = [&](const std::string& at) {
    return std::any_of(secure.begin(), secure.end(), [&](const auto& zone) { return is_at_or_below(at, zone); });
  };
  const auto negative = [&](ZoneAnswer::Outcome outcome) {
    result.outcome = outcome;
    result.soa = zones.negative_soa(zones.zone_of(name));
    return std::move(result);
  };
  const auto failed = [&] {
    ZoneAnswer nothing;
    nothing.struck = std::move(result.struck);
    return nothing;
  };

  for (const DnsFault* fault = first;; fault = faults.find_upstream(name)) {
    if (!is_secure(name)) result.secure = false;
    if (fault != nullptr && fault != first) result.struck.push_back(fault);
    if (fault != nullptr) {
      switch (fault->kind) {
        case DnsFaultKind::nxdomain: return negative(ZoneAnswer::Outcome::no_such_name);
        case DnsFaultKind::nodata: return negative(ZoneAnswer::Outcome::no_data);
        case DnsFaultKind::servfail:
        case DnsFaultKind::refused:
        case DnsFaultKind::timeout: return failed();
        case DnsFaultKind::bogus:
          if (validate) return failed();
          result.secure = false;
          break;
        default: break;
      }
    }
    const Name* entry = find_entry(zones, name);
    if (entry == nullptr) return negative(ZoneAnswer::Outcome::no_such_name);
    for (const ldns_rr* record : entry->of_type(type)) result.answer.push_back(copy_for(name, record));
    const bool found = !result.answer.empty() && ldns_rr_get_type(result.answer.back().get()) != LDNS_RR_TYPE_CNAME;
    if (found || type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_ANY) {
      if (result.answer.empty()) return negative(ZoneAnswer::Outcome::no_data);
      result.outcome = ZoneAnswer::Outcome::found;
      return result;
    }
    if (type == LDNS_RR_TYPE_SOA && zones.zone_of(name) == name) {
      result.answer.push_back(zones.soa(name));
      result.outcome = ZoneAnswer::Outcome::found;
      return result;
    }
    const auto aliases = entry->of_type(LDNS_RR_TYPE_CNAME);
    if (aliases.empty()) return negative(ZoneAnswer::Outcome::no_data);
    result.answer.push_back(copy_for(name, aliases.front()));
    name = zone_name(ldns_rr_rdf(aliases.front(), 0));
    if (seen.size() > kAliasesMax || std::find(seen.begin(), seen.end(), name) != seen.end()) return failed();
    seen.push_back(name);
  }
}

}  // namespace postproof::sim
