// What a validating, recursive resolver finds out about a name: through CNAMEs (RFC 1034 section 3.6.2) and
// wildcards (RFC 4592), over all the zones of the simulated internet. No messages here, only records.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sim/dns/dns_fault.h"
#include "sim/dns/zone_records.h"

namespace postproof::sim {

struct ZoneAnswer {
  enum class Outcome : std::uint8_t {
    found,
    no_data,
    no_such_name,
    failed,  // no answer could be had: a CNAME loop, or a fault on the way
  };
  Outcome outcome = Outcome::failed;
  std::vector<dns::LdnsRecord> answer;  // CNAMEs first
  dns::LdnsRecord soa;                  // of a negative outcome
  bool secure = false;                  // every name on the way is in a secure zone
  std::vector<const DnsFault*> struck;  // faults of names behind CNAMEs
};

// `first` is the fault that strikes the name itself, if any; names behind CNAMEs have theirs looked up.
// Without `validate` (CD) bogus data pass as insecure.
ZoneAnswer look_up(const ZoneData::Impl& zones, const std::set<std::string>& secure, const DnsFaults& faults,
                   std::string name, ldns_rr_type type, const DnsFault* first, bool validate);

}  // namespace postproof::sim
