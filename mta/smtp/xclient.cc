#include "mta/smtp/xclient.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/auth/prepare.h"
#include "mta/base/limits.h"
#include "mta/base/text.h"
#include "mta/mail/address.h"
#include "mta/mail/xtext.h"
#include "mta/smtp/intake.h"

namespace postproof::smtp {

namespace {

constexpr std::string_view kIpv6 = "IPV6:";

bool not_known(std::string_view value) {
  return equal_ignoring_case(value, "[UNAVAILABLE]") || equal_ignoring_case(value, "[TEMPUNAVAIL]");
}

// As an address literal's inside (RFC 5321 section 4.1.3).
std::optional<IpAddress> parse_address(std::string_view value) {
  if (not_known(value)) return IpAddress();
  const bool v6 = starts_with_ignoring_case(value, kIpv6);
  const auto address = IpAddress::parse(v6 ? value.substr(kIpv6.size()) : value);
  if (!address || (v6 && address->is_v4())) return std::nullopt;
  return address->without_mapping();
}

std::optional<std::uint16_t> parse_port(std::string_view value) {
  if (not_known(value)) return std::uint16_t{0};
  const auto port = parse_decimal(value);
  if (!port || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::optional<std::string> parse_name(std::string_view value) {
  if (not_known(value)) return std::string();
  if (domain_trouble(value)) return std::nullopt;
  return std::string(value);
}

// As any client may call itself (RFC 5321 section 4.1.4), but in characters of commands.
std::optional<std::string> parse_helo(std::string_view value) {
  if (not_known(value)) return std::string();
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c < 0x7f; });
  if (trim(value).empty() || value.size() > limits::kDomain || !printable) return std::nullopt;
  return std::string(value);
}

std::optional<bool> parse_protocol(std::string_view value) {
  if (equal_ignoring_case(value, "ESMTP")) return true;
  if (equal_ignoring_case(value, "SMTP")) return false;
  return std::nullopt;
}

std::optional<std::string> parse_login(std::string_view value) {
  if (not_known(value)) return std::string();
  if (value.size() > limits::kDomain) return std::nullopt;
  return auth::prepare(value);
}

// False: the attribute is not known, its value is wrong, or it was there already.
bool set(XclientAttributes& attributes, std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view known) { return equal_ignoring_case(name, known); };
  const auto take = [](auto& into, auto parsed) { return !into && (into = std::move(parsed)).has_value(); };
  if (is("NAME")) return take(attributes.name, parse_name(value));
  if (is("ADDR")) return take(attributes.address, parse_address(value));
  if (is("PORT")) return take(attributes.port, parse_port(value));
  if (is("PROTO")) return take(attributes.extended, parse_protocol(value));
  if (is("HELO")) return take(attributes.helo, parse_helo(value));
  if (is("LOGIN")) return take(attributes.login, parse_login(value));
  if (is("DESTADDR")) return take(attributes.local_address, parse_address(value));
  if (is("DESTPORT")) return take(attributes.local_port, parse_port(value));
  return false;
}

}  // namespace

std::expected<XclientAttributes, std::string> parse_xclient(std::string_view arguments) {
  XclientAttributes attributes;
  bool any = false;
  for (const std::string_view word : split(arguments, ' ')) {
    if (word.empty()) continue;
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const auto value = equals == std::string_view::npos ? std::nullopt : decode_xtext(word.substr(equals + 1));
    if (!value || !set(attributes, name, *value)) return std::unexpected(fmt::format("attribute {}", escape(name)));
    any = true;
  }
  if (!any) return std::unexpected("syntax: XCLIENT attribute=value ...");
  return attributes;
}

void XclientAttributes::apply(SessionInfo& session) const {
  const auto endpoint = [](Endpoint& at, const std::optional<IpAddress>& to, const std::optional<std::uint16_t>& number) {
    const bool on_ip = at.kind() == Endpoint::Kind::ip;
    if (!to && !(number && on_ip)) return;
    const std::uint16_t kept = on_ip && !to ? at.port() : std::uint16_t{0};
    at = Endpoint(to.value_or(at.address()), number.value_or(kept));
  };
  // Of another address the name that was told before is nobody's.
  if (address && !name) session.peer_name.clear();
  if (name) session.peer_name = *name;
  endpoint(session.peer, address, port);
  endpoint(session.local, local_address, local_port);
  if (login) session.login = *login;
  if (helo) session.helo = *helo;
  if (helo) session.esmtp = !helo->empty() && extended.value_or(true);
}

}  // namespace postproof::smtp
