#include "mta/mail/address.h"

#include <fmt/format.h>
#include <idn2.h>

#include "mta/base/endpoint.h"
#include "mta/base/limits.h"
#include "mta/base/text.h"
#include "mta/mail/utf8.h"

namespace postproof {

namespace {

constexpr std::size_t kLabel = 63;  // RFC 1035 section 2.3.4

// RFC 5322 section 3.2.3.
bool is_atext(char c) {
  return is_alnum(c) || (c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c));
}

// RFC 6531 section 3.3: UTF8-non-ascii stands where atext and qtext may.
bool is_8bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }

std::optional<std::string> octet_trouble(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return "control octet in an address";
  }
  if (!is_valid_utf8(text)) return "an address is US-ASCII or UTF-8, and this is neither";
  return std::nullopt;
}

// The name as DNS has it; none: there is no such name. IDNA2008 without the transition from IDNA2003, in which some letters
// became others; in any normalisation form, since domains, unlike local-parts, are names that look the same in each.
std::optional<std::string> to_a_labels(std::string_view domain) {
  char* found = nullptr;
  const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
  if (idn2_to_ascii_8z(std::string(domain).c_str(), &found, flags) != IDN2_OK) return std::nullopt;
  std::string name(found);
  idn2_free(found);
  return name;
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
    } else if (!is_atext(c) && !is_8bit(c)) {
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
  if (!is_ascii(domain)) {
    if (auto trouble = octet_trouble(domain)) return trouble;
    const auto name = to_a_labels(domain);
    return name ? domain_trouble(*name) : "the domain is no internationalized domain name";
  }
  for (const std::string_view label : split(domain, '.')) {
    if (label.empty()) return "empty label in the domain";
    if (label.size() > kLabel) return fmt::format("label of more than {} octets in the domain", kLabel);
    if (label.starts_with('-') || label.ends_with('-')) return "label with a hyphen at its end in the domain";
    for (const char c : label) {
      if (is_alnum(c) || c == '-' || c == '_') continue;
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

std::string domain_key(std::string_view domain) {
  std::string key = is_ascii(domain) ? std::string(domain) : to_a_labels(domain).value_or(std::string(domain));
  key = ascii_lower(key);
  if (key.ends_with('.')) key.pop_back();
  return key;
}

bool Address::is_ascii() const { return postproof::is_ascii(local_part) && postproof::is_ascii(domain); }

std::string Address::domain_key() const { return postproof::domain_key(domain); }

std::string Address::to_string() const { return domain.empty() ? local_part : local_part + "@" + domain; }

std::string to_string(const ReversePath& path) { return path ? path->to_string() : std::string(); }

}  // namespace postproof
