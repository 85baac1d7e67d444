#include "mta/base/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "mta/base/text.h"

namespace postproof {

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> octets) {
  IpAddress address;
  std::copy(octets.begin(), octets.end(), address.octets_.begin());
  return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> octets) {
  IpAddress address;
  address.v4_ = false;
  std::copy(octets.begin(), octets.end(), address.octets_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.octets_.data()) == 1) return address;
  address.v4_ = false;
  if (inet_pton(AF_INET6, terminated.c_str(), address.octets_.data()) == 1) return address;
  return std::nullopt;
}

bool IpAddress::is_loopback() const {
  if (v4_) return octets_[0] == 127;
  return std::all_of(octets_.begin(), octets_.end() - 1, [](char c) { return c == 0; }) && octets_[15] == 1;
}

bool IpAddress::is_unspecified() const {
  return std::all_of(octets_.begin(), octets_.end(), [](char c) { return c == 0; });
}

IpAddress IpAddress::without_mapping() const {
  constexpr std::string_view kPrefix("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  if (v4_ || !octets().starts_with(kPrefix)) return *this;
  IpAddress inner;
  std::copy(octets_.begin() + kPrefix.size(), octets_.end(), inner.octets_.begin());
  return inner;
}

std::string_view IpAddress::octets() const { return {octets_.data(), v4_ ? 4u : 16u}; }

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(v4_ ? AF_INET : AF_INET6, octets_.data(), text, sizeof text);
  return text;
}

std::string IpAddress::to_literal() const { return (v4_ ? "[" : "[IPv6:") + to_string() + "]"; }

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned most = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return IpNetwork{*address, most};
  const auto bits = parse_decimal(text.substr(slash + 1));
  if (!bits || *bits > most) return std::nullopt;
  return IpNetwork{*address, static_cast<unsigned>(*bits)};
}

bool IpNetwork::contains(const IpAddress& other) const {
  if (address.is_v4() != other.is_v4()) return false;
  const std::string_view a = address.octets();
  const std::string_view b = other.octets();
  const unsigned whole = prefix_bits / 8;
  if (a.substr(0, whole) != b.substr(0, whole)) return false;
  const unsigned rest = prefix_bits % 8;
  if (rest == 0) return true;
  return ((static_cast<unsigned char>(a[whole]) ^ static_cast<unsigned char>(b[whole])) >> (8 - rest)) == 0;
}

Endpoint Endpoint::unix_path(std::string path) {
  Endpoint endpoint;
  endpoint.kind_ = Kind::unix_path;
  endpoint.path_ = std::move(path);
  return endpoint;
}

Endpoint Endpoint::inherited(std::uint16_t descriptor) {
  Endpoint endpoint;
  endpoint.kind_ = Kind::inherited;
  endpoint.number_ = descriptor;
  return endpoint;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto port_of = [](std::string_view digits) -> std::optional<std::uint16_t> {
    const auto number = parse_decimal(digits);
    if (!number || *number > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
  };
  if (text.starts_with("unix:")) {
    if (text.size() == 5) return std::nullopt;
    return unix_path(std::string(text.substr(5)));
  }
  if (text.starts_with("fd:")) {
    const auto descriptor = port_of(text.substr(3));
    if (!descriptor) return std::nullopt;
    return inherited(*descriptor);
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = port_of(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!port || !address || address->is_v6() != bracketed) return std::nullopt;
  return Endpoint(*address, *port);
}

std::string Endpoint::to_string() const {
  switch (kind_) {
    case Kind::unix_path: return "unix:" + path_;
    case Kind::inherited: return "fd:" + std::to_string(number_);
    case Kind::ip: break;
  }
  const std::string host = address_.to_string();
  return (address_.is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(number_);
}

}  // namespace postproof
