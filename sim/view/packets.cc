#include "sim/view/packets.h"

#include <algorithm>

namespace postproof::sim {

namespace {

constexpr std::size_t kEthernetHeader = 14, kIpv4Header = 20, kIpv6Header = 40, kTcpHeader = 20;
constexpr std::size_t kMtu = 1500;
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;
constexpr std::uint8_t kHopLimit = 64;
constexpr std::uint8_t kWindowScale = 7;
constexpr std::uint16_t kWindow = (64 * 1024) >> kWindowScale;  // what a connection of the simulation holds

void put8(std::string& out, unsigned value) { out += static_cast<char>(value & 0xff); }
void put16(std::string& out, unsigned value) {
  put8(out, value >> 8);
  put8(out, value);
}
void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}
void set16(std::string& out, std::size_t at, unsigned value) {
  out[at] = static_cast<char>(value >> 8 & 0xff);
  out[at + 1] = static_cast<char>(value & 0xff);
}

std::uint32_t sum(std::string_view octets, std::uint32_t so_far = 0) {
  std::uint64_t total = so_far;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const auto octet = static_cast<unsigned char>(octets[i]);
    total += i % 2 == 0 ? octet << 8 : octet;
  }
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return static_cast<std::uint32_t>(total);
}

unsigned checksum(std::uint32_t total) { return ~total & 0xffff; }

// The pseudo-header of RFC 9293 section 3.1 and RFC 8200 section 8.1.
std::uint32_t pseudo_header(const IpAddress& from, const IpAddress& to, std::uint8_t protocol, std::size_t size) {
  std::string header(from.octets());
  header += to.octets();
  put32(header, static_cast<std::uint32_t>(size));
  put32(header, protocol);
  return sum(header);
}

// A locally administered address that tells the host's.
void put_hardware_address(std::string& out, const IpAddress& address) {
  put8(out, 0x02);
  put8(out, address.is_v4() ? 4 : 6);
  out += address.octets().substr(address.octets().size() - 4);
}

std::string frame(const IpAddress& from, const IpAddress& to, std::uint8_t protocol, std::string_view payload) {
  std::string out;
  out.reserve(kEthernetHeader + kIpv6Header + payload.size());
  put_hardware_address(out, to);
  put_hardware_address(out, from);
  put16(out, from.is_v4() ? 0x0800 : 0x86dd);
  if (from.is_v4()) {
    put16(out, 0x4500);
    put16(out, static_cast<unsigned>(std::min<std::size_t>(kIpv4Header + payload.size(), 0xffff)));
    put32(out, 0x0000'4000);  // whole, not to be cut
    put8(out, kHopLimit);
    put8(out, protocol);
    put16(out, 0);
    out += from.octets();
    out += to.octets();
    set16(out, kEthernetHeader + 10, checksum(sum(std::string_view(out).substr(kEthernetHeader))));
  } else {
    put32(out, 0x6000'0000);
    put16(out, static_cast<unsigned>(std::min<std::size_t>(payload.size(), 0xffff)));
    put8(out, protocol);
    put8(out, kHopLimit);
    out += from.octets();
    out += to.octets();
  }
  out += payload;
  return out;
}

// In the networks that are the world's own.
IpAddress router_for(const IpAddress& address) {
  if (address.is_v4()) return IpAddress::v4({10, 0, 0, 1});
  return IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

}  // namespace

std::size_t segment_max(const IpAddress& address) {
  return kMtu - kTcpHeader - (address.is_v4() ? kIpv4Header : kIpv6Header);
}

std::string tcp_frame(const Endpoint& from, const Endpoint& to, const TcpSegment& segment) {
  std::string options;
  if (segment.syn) {
    put16(options, 0x0204);  // maximum segment size
    put16(options, static_cast<unsigned>(segment_max(from.address())));
    put32(options, 0x0103'0300 | kWindowScale);  // a blank; window scale (RFC 7323)
  }
  std::string out;
  out.reserve(kTcpHeader + options.size() + segment.payload.size());
  put16(out, from.port());
  put16(out, to.port());
  put32(out, segment.sequence);
  put32(out, segment.ack ? segment.acknowledgment : 0);
  put8(out, static_cast<unsigned>((kTcpHeader + options.size()) / 4) << 4);
  put8(out, (segment.fin ? 1u : 0u) | (segment.syn ? 2u : 0u) | (segment.rst ? 4u : 0u) | (segment.psh ? 8u : 0u) |
                (segment.ack ? 16u : 0u));
  put16(out, segment.rst ? 0 : segment.syn ? 0xffff : kWindow);  // that of a SYN is not scaled
  put32(out, 0);                                                 // checksum, no urgent data
  out += options;
  out += segment.payload;
  set16(out, 16, checksum(sum(out, pseudo_header(from.address(), to.address(), kTcp, out.size()))));
  return frame(from.address(), to.address(), kTcp, out);
}

std::string udp_frame(const Endpoint& from, const Endpoint& to, std::string_view payload) {
  std::string out;
  put16(out, from.port());
  put16(out, to.port());
  put16(out, static_cast<unsigned>(std::min<std::size_t>(8 + payload.size(), 0xffff)));
  put16(out, 0);
  out += payload;
  const unsigned value = checksum(sum(out, pseudo_header(from.address(), to.address(), kUdp, out.size())));
  set16(out, 6, value == 0 ? 0xffff : value);  // RFC 768: zero would say that there is none
  return frame(from.address(), to.address(), kUdp, out);
}

std::string unreachable_frame(const Endpoint& sender, std::string_view frame_sent) {
  const bool v4 = sender.address().is_v4();
  const IpAddress router = router_for(sender.address());
  std::string out;
  put32(out, v4 ? 0x0301'0000 : 0x0103'0000);  // host unreachable; address unreachable
  put32(out, 0);
  out += frame_sent.substr(kEthernetHeader);
  const std::uint32_t header = v4 ? 0 : pseudo_header(router, sender.address(), kIcmpv6, out.size());
  set16(out, 2, checksum(sum(out, header)));
  return frame(router, sender.address(), v4 ? kIcmp : kIcmpv6, out);
}

}  // namespace postproof::sim
