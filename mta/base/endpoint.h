// Addresses of the network: IPv4, IPv6, a Unix socket's path, or a listening socket that was inherited.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postproof {

// An IPv4 or IPv6 address. IPv4-mapped IPv6 addresses are kept as they are given, until without_mapping().
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> octets);
  static IpAddress v6(std::array<std::uint8_t, 16> octets);
  // "192.0.2.1" or "2001:db8::1"; no brackets, no zone.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const { return v4_; }
  bool is_v6() const { return !v4_; }
  bool is_loopback() const;     // 127.0.0.0/8, ::1
  bool is_unspecified() const;  // 0.0.0.0, ::
  // 192.0.2.1 of ::ffff:192.0.2.1 (RFC 4291 section 2.5.5.2), whom rules for IPv4 are for; any other as it is.
  IpAddress without_mapping() const;
  // The 4 or 16 octets in network order.
  std::string_view octets() const;
  std::string to_string() const;  // RFC 5952
  // As an SMTP address literal: "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3).
  std::string to_literal() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  bool v4_ = true;
  std::array<char, 16> octets_{};
};

// An IP network: "192.0.2.0/24", "2001:db8::/32", or a lone address.
struct IpNetwork {
  IpAddress address;
  unsigned prefix_bits = 0;

  static std::optional<IpNetwork> parse(std::string_view text);
  bool contains(const IpAddress& other) const;
};

class Endpoint {
 public:
  enum class Kind : std::uint8_t { ip, unix_path, inherited };

  Endpoint() = default;  // 0.0.0.0:0
  Endpoint(IpAddress address, std::uint16_t port) : address_(address), number_(port) {}
  static Endpoint unix_path(std::string path);
  static Endpoint inherited(std::uint16_t descriptor);
  // "192.0.2.1:25", "[2001:db8::1]:25", "unix:/path", "fd:3".
  static std::optional<Endpoint> parse(std::string_view text);

  Kind kind() const { return kind_; }
  const IpAddress& address() const { return address_; }  // of Kind::ip
  std::uint16_t port() const { return number_; }         // of Kind::ip
  std::uint16_t descriptor() const { return number_; }   // of Kind::inherited
  const std::string& path() const { return path_; }      // of Kind::unix_path
  std::string to_string() const;                         // what parse reads

  auto operator<=>(const Endpoint&) const = default;

 private:
  Kind kind_ = Kind::ip;
  IpAddress address_;
  std::uint16_t number_ = 0;
  std::string path_;
};

}  // namespace postproof
