#include "sim/dns/zone_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "mta/base/check.h"
#include "mta/base/text.h"
#include "sim/dns/zone_records.h"
#include "sim/dns/zone_text.h"

namespace postproof::sim {

namespace {

// Relative names are put below this while no $ORIGIN says what they are below: they are then found out.
constexpr std::string_view kNoOrigin = "relative-name.postproof.invalid.";
constexpr std::uint32_t kMadeUpTtl = 300;

std::expected<dns::LdnsRecord, std::string> parse_record(const std::string& text, const std::string& origin) {
  const dns::LdnsData below(ldns_dname_new_frm_str(origin.c_str()));
  if (!below) return std::unexpected(fmt::format("{} is no domain name", origin));
  ldns_rr* parsed = nullptr;
  const ldns_status status = ldns_rr_new_frm_str(&parsed, text.c_str(), 0, below.get(), nullptr);
  if (status != LDNS_STATUS_OK) return std::unexpected(std::string(ldns_get_errorstr_by_id(status)));
  return dns::LdnsRecord(parsed);
}

// The first name in the record that was written without its trailing dot, as it was written; else empty.
std::string relative_name(const ldns_rr* record) {
  const auto written = [](const ldns_rdf* data) {
    std::string text = dns::ldns_text(data);
    if (!text.ends_with(kNoOrigin)) return std::string();
    text.resize(text.size() - kNoOrigin.size());
    if (text.ends_with('.')) text.pop_back();
    return text.empty() ? std::string("@") : text;
  };
  if (std::string owner = written(ldns_rr_owner(record)); !owner.empty()) return owner;
  for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
    const ldns_rdf* data = ldns_rr_rdf(record, i);
    if (data == nullptr || ldns_rdf_get_type(data) != LDNS_RDF_TYPE_DNAME) continue;
    if (std::string name = written(data); !name.empty()) return name;
  }
  return {};
}

// ldns takes 70000 for a 16-bit number and cuts it: the first number that reads back as another, as it was
// written; else empty. `data` is the type and its fields; numbers stand before all that may hold blanks.
std::string cut_number(const ldns_rr* record, std::string_view data) {
  std::vector<std::string_view> words = split(data, ' ');
  std::erase_if(words, [](std::string_view word) { return word.empty(); });
  for (std::size_t i = 0; i < ldns_rr_rd_count(record) && i + 1 < words.size(); ++i) {
    const ldns_rdf* field = ldns_rr_rdf(record, i);
    const ldns_rdf_type kind = ldns_rdf_get_type(field);
    if (kind != LDNS_RDF_TYPE_INT8 && kind != LDNS_RDF_TYPE_INT16 && kind != LDNS_RDF_TYPE_INT32) continue;
    const std::string_view word = words[i + 1];
    if (word.find_first_not_of("0123456789") != std::string_view::npos) continue;
    if (parse_decimal(word) != parse_decimal(dns::ldns_text(field))) return std::string(word);
  }
  return {};
}

std::expected<dns::LdnsRecord, std::string> read_record(const ZoneEntry& entry) {
  const std::string origin = entry.origin.empty() ? std::string(kNoOrigin) : entry.origin;
  const std::string text = fmt::format("{} {} IN {}", entry.owner, entry.ttl, entry.data);
  std::expected<dns::LdnsRecord, std::string> record = parse_record(text, origin);
  if (!record) return std::unexpected(fmt::format("{} {}: {}", entry.owner, entry.data, record.error()));
  if (entry.origin.empty()) {
    if (const std::string name = relative_name(record->get()); !name.empty()) {
      return std::unexpected(fmt::format("{}: expected a dot at the name's end, or $ORIGIN before", name));
    }
  }
  const ldns_rr_descriptor* descriptor = ldns_rr_descript(static_cast<std::uint16_t>(ldns_rr_get_type(record->get())));
  if (ldns_rr_rd_count(record->get()) < ldns_rr_descriptor_minimum(descriptor)) {
    return std::unexpected(fmt::format("{} {}: data are missing", entry.owner, entry.data));
  }
  std::string data = entry.data;
  std::replace(data.begin(), data.end(), '\t', ' ');
  if (const std::string number = cut_number(record->get(), data); !number.empty()) {
    return std::unexpected(fmt::format("{} {}: {} is too large", entry.owner, entry.data, number));
  }
  return record;
}

std::string type_text(const ldns_rr* record) {
  const std::unique_ptr<char, dns::LdnsFree> text(ldns_rr_type2str(ldns_rr_get_type(record)));
  return text ? std::string(text.get()) : std::string();
}

bool is_domain_name(const std::string& name) {
  if (name.find_first_of(" \t\r\n;()\"") != std::string::npos) return false;
  return dns::LdnsData(ldns_dname_new_frm_str((name + ".").c_str())) != nullptr;
}

dns::LdnsRecord clone(const ldns_rr* record) {
  dns::LdnsRecord copy(ldns_rr_clone(record));
  PP_CHECK(copy != nullptr, "out of memory");
  return copy;
}

// What is the same for records that are equal (RFC 2181 section 5: but for the TTL, and letters' case).
std::string canonical(const ldns_rr* record) {
  const dns::LdnsRecord copy = clone(record);
  ldns_rr_set_ttl(copy.get(), 0);
  ldns_rr2canonical(copy.get());
  std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  const ldns_status status = ldns_rr2wire(&octets, copy.get(), LDNS_SECTION_ANSWER, &size);
  const std::unique_ptr<std::uint8_t, dns::LdnsFree> owned(octets);
  PP_CHECK(status == LDNS_STATUS_OK, "a record that was read cannot be written");
  return {reinterpret_cast<const char*>(octets), size};
}

// The records of one name, while a text is read.
class RecordsOfName {
 public:
  void add(const ldns_rr* record) {
    const ldns_rr_type type = ldns_rr_get_type(record);
    records_.insert(canonical(record));
    (type == LDNS_RR_TYPE_CNAME ? has_cname_ : has_others_) = true;
    if (type == LDNS_RR_TYPE_SOA) has_soa_ = true;
  }
  bool empty() const { return records_.empty(); }
  bool contains(const ldns_rr* record) const { return records_.contains(canonical(record)); }

  // Why a record cannot stand beside them; empty if it can. RFC 1034 section 3.6.2: nothing beside a CNAME.
  std::string conflict(const ldns_rr* record) const {
    const ldns_rr_type type = ldns_rr_get_type(record);
    if (type == LDNS_RR_TYPE_CNAME ? has_others_ : has_cname_) return "a CNAME beside other records";
    if (type == LDNS_RR_TYPE_CNAME && has_cname_) return "a second CNAME";
    return type == LDNS_RR_TYPE_SOA && has_soa_ ? "a second SOA" : "";
  }

 private:
  std::set<std::string> records_;
  bool has_cname_ = false, has_soa_ = false, has_others_ = false;
};

}  // namespace

std::string zone_name(const ldns_rdf* name) { return zone_name(dns::ldns_text(name)); }

std::string zone_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return ascii_lower(name);
}

std::optional<std::string_view> parent_name(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\')
      ++i;
    else if (name[i] == '.')
      return name.substr(i + 1);
  }
  return std::string_view();
}

bool is_at_or_below(std::string_view name, std::string_view above) {
  for (std::optional<std::string_view> at = name; at; at = parent_name(*at)) {
    if (*at == above) return true;
  }
  return false;
}

std::vector<const ldns_rr*> ZoneData::Impl::Name::of_type(ldns_rr_type type) const {
  std::vector<const ldns_rr*> found;
  const auto take = [&](const std::vector<dns::LdnsRecord>& records) {
    for (const dns::LdnsRecord& record : records) {
      if (type == LDNS_RR_TYPE_ANY || ldns_rr_get_type(record.get()) == type) found.push_back(record.get());
    }
  };
  take(text);
  const bool own = has_text(LDNS_RR_TYPE_A) || has_text(LDNS_RR_TYPE_AAAA) || has_text(LDNS_RR_TYPE_CNAME);
  if (!own) take(hosts);
  return found;
}

bool ZoneData::Impl::Name::has_text(ldns_rr_type type) const {
  return std::any_of(text.begin(), text.end(), [&](const auto& one) { return ldns_rr_get_type(one.get()) == type; });
}

void ZoneData::Impl::remove(const std::string& name, ldns_rr_type type, bool of_hosts) {
  const auto at = names.find(name);
  if (at == names.end()) return;
  const auto matches = [&](const dns::LdnsRecord& record) {
    return type == LDNS_RR_TYPE_ANY || ldns_rr_get_type(record.get()) == type;
  };
  std::erase_if(at->second.text, matches);
  if (!of_hosts) return;
  std::erase_if(at->second.hosts, matches);
  // A name that has nothing left and nothing below it does not exist any more.
  if (type != LDNS_RR_TYPE_ANY) return;
  const bool needed = std::ranges::any_of(
      names, [&](const auto& other) { return other.first != name && is_at_or_below(other.first, name); });
  if (!needed && !name.empty()) names.erase(at);
}

ZoneData::Impl::Name& ZoneData::Impl::add_name(const std::string& name) {
  for (std::optional<std::string_view> at = parent_name(name); at; at = parent_name(*at)) {
    if (!names.try_emplace(std::string(*at)).second) break;
  }
  return names[name];
}

std::string ZoneData::Impl::zone_of(std::string_view name) const {
  std::string made_up;
  for (std::optional<std::string_view> at = name; at; at = parent_name(*at)) {
    const std::string here(*at);
    const auto found = names.find(here);
    if (found != names.end() && found->second.has_text(LDNS_RR_TYPE_SOA)) return here;
    if (!made_up.empty()) continue;
    // The MX of a wildcard speaks for the zone above it.
    const auto wildcard = names.find(here.empty() ? "*" : "*." + here);
    const bool owns_mx = (found != names.end() && !here.starts_with("*.") && found->second.has_text(LDNS_RR_TYPE_MX)) ||
                         (wildcard != names.end() && wildcard->second.has_text(LDNS_RR_TYPE_MX));
    if (owns_mx || zones.contains(here)) made_up = here;
  }
  return made_up;
}

dns::LdnsRecord ZoneData::Impl::soa(const std::string& zone) const {
  const auto found = names.find(zone);
  if (found != names.end()) {
    const auto records = found->second.of_type(LDNS_RR_TYPE_SOA);
    if (!records.empty()) return clone(records.front());
  }
  const std::string below = zone.empty() ? "" : zone + ".";
  auto made_up =
      parse_record(fmt::format("{}. {} IN SOA ns.{} hostmaster.{} 1 7200 900 1209600 {}", zone, kMadeUpTtl,
                               below.empty() ? "invalid." : below, below.empty() ? "invalid." : below, kMadeUpTtl),
                   ".");
  PP_CHECK(made_up.has_value(), "the made-up SOA does not parse");
  return std::move(*made_up);
}

dns::LdnsRecord ZoneData::Impl::negative_soa(const std::string& zone) const {
  dns::LdnsRecord record = soa(zone);
  const ldns_rdf* minimum = ldns_rr_rdf(record.get(), 6);
  PP_CHECK(minimum != nullptr, "an SOA without a minimum");
  ldns_rr_set_ttl(record.get(), std::min(ldns_rr_ttl(record.get()), ldns_rdf2native_int32(minimum)));
  return record;
}

ZoneData::ZoneData() : impl_(std::make_unique<Impl>()) { impl_->add_name(""); }
ZoneData::~ZoneData() = default;
ZoneData::ZoneData(ZoneData&&) noexcept = default;
ZoneData& ZoneData::operator=(ZoneData&&) noexcept = default;

Result<void> ZoneData::add_text(std::string_view zone_text, Duration default_ttl) {
  const Result<std::vector<ZoneEntry>> entries = read_zone_text(zone_text, default_ttl);
  if (!entries) return fail("zone", entries.error());

  std::vector<dns::LdnsRecord> records;
  std::map<std::string, RecordsOfName> beside;
  for (const ZoneEntry& entry : *entries) {
    std::expected<dns::LdnsRecord, std::string> record = read_record(entry);
    if (!record) return fail(Errc::invalid, fmt::format("zone: line {}: {}", entry.line, record.error()));
    const std::string owner = zone_name(ldns_rr_owner(record->get()));
    RecordsOfName& others = beside[owner];
    if (const auto known = impl_->names.find(owner); others.empty() && known != impl_->names.end()) {
      for (const dns::LdnsRecord& other : known->second.text) others.add(other.get());
    }
    // Equal records are one.
    if (others.contains(record->get())) continue;
    if (const std::string why = others.conflict(record->get()); !why.empty()) {
      return fail(Errc::invalid, fmt::format("zone: line {}: {}: {}", entry.line, entry.owner, why));
    }
    others.add(record->get());
    records.push_back(std::move(*record));
  }
  for (dns::LdnsRecord& record : records) {
    const std::string owner = zone_name(ldns_rr_owner(record.get()));
    impl_->add_name(owner).text.push_back(std::move(record));
  }
  return {};
}

Result<std::vector<dns::LdnsRecord>> read_records(std::string_view text) {
  const Result<std::vector<ZoneEntry>> entries = read_zone_text(text, std::chrono::hours{1});
  if (!entries) return fail("zone", entries.error());
  std::vector<dns::LdnsRecord> records;
  for (const ZoneEntry& entry : *entries) {
    std::expected<dns::LdnsRecord, std::string> record = read_record(entry);
    if (!record) return fail(Errc::invalid, fmt::format("zone: line {}: {}", entry.line, record.error()));
    records.push_back(std::move(*record));
  }
  return records;
}

Result<void> check_records(std::string_view text) {
  const auto records = read_records(text);
  if (!records) return std::unexpected(records.error());
  return {};
}

Result<void> ZoneData::change(std::string_view zone_text, const std::vector<std::string>& remove) {
  // Whether the new text is right by itself is found out where nothing is lost by it.
  ZoneData fresh;
  if (auto added = fresh.add_text(zone_text); !added) return added;
  struct Removal {
    std::string name;
    ldns_rr_type type;
  };
  std::vector<Removal> removals;
  for (const std::string& text : remove) {
    const std::vector<std::string_view> words = split(text, ' ');
    const ldns_rr_type type = words.size() == 2
                                  ? ldns_get_rr_type_by_name(ascii_upper(words[1]).c_str())
                                  : LDNS_RR_TYPE_ANY;
    if (words.size() > 2 || !is_domain_name(zone_name(words[0])) || type == LDNS_RR_TYPE_NULL || type == 0) {
      return fail(Errc::invalid, fmt::format("\"{}\": expected a name, or a name and a type", escape(text)));
    }
    removals.push_back(Removal{zone_name(words[0]), type});
  }

  for (const Removal& removal : removals) impl_->remove(removal.name, removal.type);
  for (auto& [name, entry] : fresh.impl_->names) {
    std::set<ldns_rr_type> types;
    for (const dns::LdnsRecord& record : entry.text) types.insert(ldns_rr_get_type(record.get()));
    for (const ldns_rr_type type : types) {
      impl_->remove(name, type == LDNS_RR_TYPE_CNAME ? LDNS_RR_TYPE_ANY : type, false);
      impl_->remove(name, LDNS_RR_TYPE_CNAME, false);
    }
  }
  for (auto& [name, entry] : fresh.impl_->names) {
    for (dns::LdnsRecord& record : entry.text) impl_->add_name(name).text.push_back(std::move(record));
  }
  return {};
}

bool ZoneData::add_host(std::string_view name, const IpAddress& address) {
  const std::string owner = zone_name(name);
  if (owner.empty() || !is_domain_name(owner)) return false;
  auto record =
      parse_record(fmt::format("{}. 3600 IN {} {}", owner, address.is_v4() ? "A" : "AAAA", address.to_string()), ".");
  PP_CHECK(record.has_value(), "the record of a host does not parse");
  impl_->add_name(owner).hosts.push_back(std::move(*record));
  return true;
}

bool ZoneData::add_zone(std::string_view name) {
  const std::string zone = zone_name(name);
  if (!is_domain_name(zone)) return false;
  impl_->add_name(zone);
  impl_->zones.insert(zone);
  return true;
}

std::vector<std::string> ZoneData::names() const {
  std::vector<std::string> list;
  for (const auto& [name, entry] : impl_->names) {
    for (const dns::LdnsRecord& record : entry.text) list.push_back(name + " " + type_text(record.get()));
  }
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

}  // namespace postproof::sim
