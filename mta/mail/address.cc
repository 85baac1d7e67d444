#include "mta/mail/address.h"

#include <fmt/format.h>

#include "mta/base/endpoint.h"
#include "mta/base/limits.h"
#include "mta/base/text.h"

namespace postproof {

namespace {

constexpr std::size_t kLabel = 63;  // RFC 1035 section 2.3.4

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// RFC 5322 section 3.2.3.
bool is_atext(char c) {
  return is_letter_or_digit(c) || (c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c));
}

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

std::optional<std::string> octet_trouble(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return "8-bit octet in an address, and SMTPUTF8 is not offered";
    if (!is_printable(c)) return "control octet in an address";
  }
  return std::nullopt;
}

// Length of the quoted string at the start of `text`, quotes included: DQUOTE *QcontentSMTP DQUOTE.
std::expected<std::size_t, std::string> quoted_string_size(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1;
    if (text[i] == '\\') ++i;  // quoted-pairSMTP: any printable octet is behind it
  }
  return std::unexpected("quoted local-part without its closing quote");
}

// Length of the dot-string at the start of `text`.
std::expected<std::size_t, std::string> dot_string_size(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && text[size] != '@') {
    const char c = text[size];
    if (c == '.') {
      const bool at_end = size + 1 == text.size() || text[size + 1] == '@';
      if (size == 0 || at_end || text[size - 1] == '.') return std::unexpected("misplaced dot in the local-part");
    } else if (!is_atext(c)) {
      return std::unexpected(fmt::format("the local-part may not have '{}' outside quotes", c));
    }
    ++size;
  }
  return size;
}

}  // namespace

std::optional<std::string> domain_trouble(std::string_view domain) {
  if (domain.empty()) return "empty domain";
  if (domain.size() > limits::kDomain) return fmt::format("domain of more than {} octets", limits::kDomain);
  if (domain.ends_with('.')) return "domain ends in a dot";
  for (const std::string_view label : split(domain, '.')) {
    if (label.empty()) return "empty label in the domain";
    if (label.size() > kLabel) return fmt::format("label of more than {} octets in the domain", kLabel);
    if (label.starts_with('-') || label.ends_with('-')) return "label with a hyphen at its end in the domain";
    for (const char c : label) {
      if (is_letter_or_digit(c) || c == '-' || c == '_') continue;
      if (const auto trouble = octet_trouble(std::string_view(&c, 1))) return trouble;
      return fmt::format("a domain may not have '{}'", c);
    }
  }
  return std::nullopt;
}

std::optional<std::string> address_literal_trouble(std::string_view literal) {
  if (!literal.starts_with('[') || !literal.ends_with(']') || literal.size() < 2) return "malformed address literal";
  const std::string_view inside = literal.substr(1, literal.size() - 2);
  constexpr std::string_view kIpv6Tag = "IPv6:";
  const bool v6 = starts_with_ignoring_case(inside, kIpv6Tag);
  const auto address = IpAddress::parse(v6 ? inside.substr(kIpv6Tag.size()) : inside);
  if (!address || address->is_v6() != v6) return "malformed address literal";
  return std::nullopt;
}

std::expected<Address, std::string> Address::parse(std::string_view text) {
  if (text.empty()) return std::unexpected("empty address");
  if (auto trouble = octet_trouble(text)) return std::unexpected(std::move(*trouble));

  const auto local_size = text.starts_with('"') ? quoted_string_size(text) : dot_string_size(text);
  if (!local_size) return std::unexpected(local_size.error());
  if (*local_size == 0) return std::unexpected("empty local-part");
  if (*local_size > limits::kLocalPart) {
    return std::unexpected(fmt::format("local-part of more than {} octets", limits::kLocalPart));
  }
  const std::string_view local_part = text.substr(0, *local_size);
  text.remove_prefix(*local_size);

  if (text.empty()) return std::unexpected("address without a domain");
  if (!text.starts_with('@')) return std::unexpected("something between the local-part and the '@'");
  text.remove_prefix(1);
  auto trouble = text.starts_with('[') ? address_literal_trouble(text) : domain_trouble(text);
  if (trouble) return std::unexpected(std::move(*trouble));
  return Address{std::string(local_part), std::string(text)};
}

std::string Address::domain_key() const {
  std::string key = ascii_lower(domain);
  if (key.ends_with('.')) key.pop_back();
  return key;
}

std::string Address::to_string() const { return domain.empty() ? local_part : local_part + "@" + domain; }

std::string to_string(const ReversePath& path) { return path ? path->to_string() : std::string(); }

}  // namespace postproof
