// Frames of an Ethernet as they would have crossed it: IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293), UDP (RFC 768)
// and the ICMP message of a host that cannot be reached (RFC 792, RFC 4443), checksums included. Values in, octets out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mta/base/endpoint.h"

namespace postproof::sim {

struct TcpSegment {
  std::uint32_t sequence = 0, acknowledgment = 0;
  bool syn = false, ack = false, psh = false, fin = false, rst = false;
  std::string_view payload = {};
};

// What a segment may carry on an Ethernet (RFC 9293 section 3.7.1), and tells in its SYN.
std::size_t segment_max(const IpAddress& address);

// Both ends are of one family. Hardware addresses are made from those of the hosts.
std::string tcp_frame(const Endpoint& from, const Endpoint& to, const TcpSegment& segment);
// A payload that is larger than an Ethernet would take goes into one frame all the same.
std::string udp_frame(const Endpoint& from, const Endpoint& to, std::string_view payload);
// A router tells the sender that the host which `frame`, a TCP frame of that sender, was for cannot be reached.
std::string unreachable_frame(const Endpoint& sender, std::string_view frame);

}  // namespace postproof::sim
