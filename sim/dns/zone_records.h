// The inside of ZoneData: for the files of this folder that handle ldns records.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mta/dns/ldns_handle.h"
#include "sim/dns/zone_data.h"

namespace postproof::sim {

// Names here are lower case, in ldns's escapes, without the trailing dot; the root is "".
std::string zone_name(const ldns_rdf* name);
std::string zone_name(std::string_view name);
// "dest.example" of "mx1.dest.example"; none of the root.
std::optional<std::string_view> parent_name(std::string_view name);
bool is_at_or_below(std::string_view name, std::string_view above);

// The records of master-file text, in its order; none of them need fit together. Errors as of ZoneData::add_text.
Result<std::vector<dns::LdnsRecord>> read_records(std::string_view text);

struct ZoneData::Impl {
  struct Name {
    std::vector<dns::LdnsRecord> text;   // as the text has them
    std::vector<dns::LdnsRecord> hosts;  // addresses of a host of this name

    // Those of one type, in the order in which they were given; all of them for ANY.
    std::vector<const ldns_rr*> of_type(ldns_rr_type type) const;
    bool has_text(ldns_rr_type type) const;
  };

  std::map<std::string, Name> names;  // names between others (empty non-terminals) included
  std::set<std::string> zones;        // from add_zone

  Name& add_name(const std::string& name);
  // Takes away what a name has of a type (ANY: all of it), addresses of hosts too or not.
  void remove(const std::string& name, ldns_rr_type type, bool of_hosts = true);
  // The apex of the zone that holds the name; the root if nothing else does.
  std::string zone_of(std::string_view name) const;
  // The zone's SOA with the TTL of a negative answer (RFC 2308 section 5).
  dns::LdnsRecord negative_soa(const std::string& zone) const;
  // The SOA to answer a question for it with.
  dns::LdnsRecord soa(const std::string& zone) const;
};

}  // namespace postproof::sim
