// A recording as a capture (pcap, nanoseconds) for Wireshark and its kin: what its connections and datagrams would
// have been on an Ethernet, seen where they were sent.
//
// Of TCP the recording has octets, their arrivals, FIN and RST; here each becomes segments with sequence numbers, and
// each arrival an acknowledgment. What got lost stands again as often as it was sent; what a fault held back, and let go
// later, stands once more as the retransmission that arrived. What never arrives is never acknowledged.
#pragma once

#include <string>

#include "mta/base/result.h"
#include "sim/recording/record.h"

namespace postproof::sim {

// Connections over Unix sockets are not in it. Errors: invalid, for a recording whose times no capture can hold.
Result<std::string> pcap_view(const Recording& recording);

// The key log (NSS format) with which the capture's TLS can be decrypted; empty where there was none.
std::string key_log(const Recording& recording);

}  // namespace postproof::sim
