#include "sim/scenario/fault_keys.h"

namespace postproof::sim {

std::vector<FaultKind> dns_fault_kinds() {
  return {
      {"dns.nxdomain", {}, {kName, kFor}},   {"dns.nodata", {}, {kName, kFor}},
      {"dns.servfail", {}, {kName, kFor}},   {"dns.refused", {}, {kName, kFor}},
      {"dns.timeout", {}, {kName, kFor}},    {"dns.truncate", {}, {kName, kFor}},
      {"dns.tcp-refuse", {}, {kName, kFor}}, {"dns.wrong-id", {}, {kName, kFor}},
      {"dns.bogus", {}, {kName, kFor}},      {"dns.formerr", {}, {kName, kFor}},
      {"dns.edns-drop", {}, {kName, kFor}},
  };
}

}  // namespace postproof::sim
