// From a question's octets to its answer's: everything of the simulated resolver but its sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/dns/dns_fault.h"
#include "sim/dns/zone_data.h"

namespace postproof::sim {

struct DnsResponse {
  enum class Act : std::uint8_t { answer, silence, reset };
  Act act = Act::answer;
  std::string octets;                // without TCP's length
  Duration delay{};                  // it goes out so much later
  std::string name, type;            // asked for; empty if the question could not be read
  std::string text;                  // "noerror: MX 10 mx1.dest.example", "nxdomain", "silence"
  std::vector<const DnsFault*> struck;  // the faults that made it so; until the faults change
};

class Responder {
 public:
  // `secure`: names; answers for them and what is below carry AD, for those who ask for it.
  Responder(ZoneData zones, const std::vector<std::string>& secure);

  // None: nothing that could be answered (too short, or itself an answer).
  std::optional<DnsResponse> respond(std::string_view question, DnsTransport transport) const;

  void set_zones(ZoneData zones);
  DnsFaults& faults() { return faults_; }

 private:
  ZoneData zones_;
  std::set<std::string> secure_;
  DnsFaults faults_;
};

}  // namespace postproof::sim
