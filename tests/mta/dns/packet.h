// DNS messages put together octet by octet, so that tests can send what no library would write.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "mta/dns/resolver.h"

namespace postproof::dns::test {

inline std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8U & 0xffU), static_cast<char>(value & 0xffU)};
}
inline std::string u32(std::uint32_t value) { return u16(value >> 16U) + u16(value & 0xffffU); }

// "mx1.dest.example" in labels, uncompressed; "" is the root.
inline std::string wire_name(std::string_view name) {
  std::string octets;
  while (!name.empty()) {
    const auto dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    octets += static_cast<char>(label.size());
    octets += label;
    name = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  }
  return octets + '\0';
}

inline std::string record(std::string_view owner, unsigned type, std::uint32_t ttl, std::string_view data,
                          unsigned klass = 1) {
  return wire_name(owner) + u16(type) + u16(klass) + u32(ttl) + u16(static_cast<unsigned>(data.size())) +
         std::string(data);
}
inline std::string a(std::string_view owner, std::uint32_t ttl, std::initializer_list<std::uint8_t> octets) {
  return record(owner, 1, ttl, std::string(octets.begin(), octets.end()));
}
inline std::string cname(std::string_view owner, std::uint32_t ttl, std::string_view to) {
  return record(owner, 5, ttl, wire_name(to));
}
inline std::string mx(std::string_view owner, std::uint32_t ttl, unsigned preference, std::string_view host) {
  return record(owner, 15, ttl, u16(preference) + wire_name(host));
}
inline std::string ns(std::string_view owner, std::uint32_t ttl, std::string_view host) {
  return record(owner, 2, ttl, wire_name(host));
}
inline std::string soa(std::string_view zone, std::uint32_t ttl, std::uint32_t minimum) {
  return record(zone, 6, ttl,
                wire_name("ns") + wire_name("hostmaster") + u32(1) + u32(2) + u32(3) + u32(4) + u32(minimum));
}

struct Message {
  std::uint16_t id = 0x1234;
  unsigned flags = 0x8180;  // QR RD RA
  unsigned rcode = 0;
  std::string question_name = "dest.example";
  Type type = Type::mx;
  unsigned klass = 1;
  std::vector<std::string> answers = {};
  std::vector<std::string> authority = {};
  std::vector<std::string> additional = {};

  std::string octets() const {
    std::string all = u16(id) + u16(flags | rcode) + u16(1) + u16(static_cast<unsigned>(answers.size())) +
                      u16(static_cast<unsigned>(authority.size())) + u16(static_cast<unsigned>(additional.size())) +
                      wire_name(question_name) + u16(static_cast<unsigned>(type)) + u16(klass);
    for (const auto* section : {&answers, &authority, &additional}) {
      for (const std::string& one : *section) all += one;
    }
    return all;
  }
};

inline constexpr unsigned kTc = 0x0200, kAd = 0x0020, kRa = 0x0080, kAa = 0x0400, kQr = 0x8000;

}  // namespace postproof::dns::test
