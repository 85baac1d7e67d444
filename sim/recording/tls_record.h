// How octets of TLS are told from those of SMTP by who sees only the wire.
#pragma once

#include <string_view>

namespace postproof::sim {

// RFC 8446 section 5.1: a record of TLS begins with its content type (20 to 24) and the octet 3. No line of SMTP does,
// and none begins with such a type alone, where the octets come one by one.
inline bool begins_tls(std::string_view octets) {
  return !octets.empty() && octets[0] >= 20 && octets[0] <= 24 && (octets.size() == 1 || octets[1] == 3);
}

}  // namespace postproof::sim
