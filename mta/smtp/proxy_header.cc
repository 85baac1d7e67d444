#include "mta/smtp/proxy_header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "mta/base/text.h"

namespace postproof::smtp {

namespace {

constexpr std::string_view kText = "PROXY ";
constexpr std::string_view kBinary("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kTextMax = 107;     // line end included
constexpr std::size_t kBinaryStart = 16;  // signature, version and command, family, length

bool agrees(std::string_view beginning, std::string_view with) {
  const std::size_t common = std::min(beginning.size(), with.size());
  return beginning.substr(0, common) == with.substr(0, common);
}

std::size_t octet(std::string_view octets, std::size_t at) { return static_cast<unsigned char>(octets[at]); }
std::uint16_t number(std::string_view octets, std::size_t at) {
  return static_cast<std::uint16_t>(octet(octets, at) << 8 | octet(octets, at + 1));
}

// Of version 1: no sign, no zero in front.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  const auto port = parse_decimal(text);
  if (!port || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

// `octets`: source address, destination address, source port, destination port.
ProxyHeader::Ends read_ends(std::string_view octets, bool v6) {
  const std::size_t size = v6 ? 16 : 4;
  const auto address = [&](std::size_t at) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(octet(octets, at + i));
    return v6 ? IpAddress::v6(bytes).without_mapping() : IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  };
  return {Endpoint(address(0), number(octets, 2 * size)), Endpoint(address(size), number(octets, 2 * size + 2))};
}

}  // namespace

std::size_t ProxyHeader::wanted() const {
  if (state_ != State::incomplete) return 0;
  // Neither version has a header that is shorter.
  if (header_.size() < kBinary.size()) return kBinary.size() - header_.size();
  if (header_.starts_with(kText)) return header_.ends_with('\r') ? 1 : 2;
  if (header_.size() < kBinaryStart) return kBinaryStart - header_.size();
  return kBinaryStart + number(header_, kBinaryStart - 2) - header_.size();
}

void ProxyHeader::feed(std::string_view octets) {
  header_ += octets;
  if (agrees(header_, kText)) {
    read_text();
  } else if (agrees(header_, kBinary)) {
    read_binary();
  } else {
    state_ = State::malformed;
  }
}

// Version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 56324 25" CRLF.
void ProxyHeader::read_text() {
  const std::string_view line = header_;
  const auto odd = std::ranges::find_if(line, [](char c) { return c < ' ' || c == 0x7f; });
  const std::string_view end(odd, line.end());
  if (end.empty() || end == "\r") {
    if (line.size() >= kTextMax) state_ = State::malformed;
    return;
  }
  state_ = State::malformed;
  if (end != "\r\n" || line.size() > kTextMax) return;
  const std::vector<std::string_view> words = split(line.substr(0, line.size() - 2), ' ');
  if (words[1] == "UNKNOWN") {
    state_ = State::whole;
    return;
  }
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return;
  const bool v6 = words[1] == "TCP6";
  const auto from = IpAddress::parse(words[2]), to = IpAddress::parse(words[3]);
  const auto from_port = parse_port(words[4]), to_port = parse_port(words[5]);
  if (!from || !to || !from_port || !to_port || from->is_v6() != v6 || to->is_v6() != v6) return;
  ends_ = Ends{Endpoint(from->without_mapping(), *from_port), Endpoint(to->without_mapping(), *to_port)};
  state_ = State::whole;
}

// Version 2.
void ProxyHeader::read_binary() {
  if (header_.size() < kBinaryStart) return;
  constexpr std::size_t kLocal = 0x20, kProxy = 0x21;
  constexpr std::size_t kUnspecified = 0x00, kTcp4 = 0x11, kTcp6 = 0x21, kUnixStream = 0x31;
  const std::size_t command = octet(header_, 12), family = octet(header_, 13);
  const std::size_t size = kBinaryStart + number(header_, 14);
  const std::size_t addresses = family == kTcp4 ? 12 : family == kTcp6 ? 36 : 0;
  const bool known = command == kLocal || (command == kProxy && (addresses > 0 || family == kUnspecified ||
                                                                 family == kUnixStream));
  if (!known || size > kSizeMax || (command == kProxy && size < kBinaryStart + addresses)) {
    state_ = State::malformed;
    return;
  }
  if (header_.size() < size) return;
  state_ = State::whole;
  if (command == kProxy && addresses > 0) {
    ends_ = read_ends(std::string_view(header_).substr(kBinaryStart), family == kTcp6);
  }
}

}  // namespace postproof::smtp
