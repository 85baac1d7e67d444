#include "mta/dns/name.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "mta/base/text.h"

namespace postproof::dns {

namespace {

// RFC 1035 section 2.3.4: 63 octets a label, 255 a name on the wire, which are 253 as text.
constexpr std::size_t kLabelOctetsMax = 63;
constexpr std::size_t kNameOctetsMax = 253;

bool is_label_octet(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_'; }

}  // namespace

std::expected<std::string, std::string> normal_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return std::unexpected("an empty name is no domain");
  if (text.size() > kNameOctetsMax) {
    return std::unexpected(fmt::format("a domain name has at most {} octets", kNameOctetsMax));
  }
  std::string name = ascii_lower(text);
  for (const std::string_view label : split(name, '.')) {
    if (label.empty()) return std::unexpected(fmt::format("\"{}\" has an empty label", name));
    if (label.size() > kLabelOctetsMax) {
      return std::unexpected(fmt::format("\"{}\" has a label of over {} octets", name, kLabelOctetsMax));
    }
    const auto bad = std::find_if_not(label.begin(), label.end(), is_label_octet);
    if (bad != label.end()) {
      return std::unexpected(
          fmt::format("\"{}\" is no domain name: \"{}\" has no place in one", name, std::string_view(&*bad, 1)));
    }
  }
  return name;
}

bool is_host_name(std::string_view name) {
  const auto normal = normal_name(name);
  if (!normal) return false;
  const std::string_view highest = std::string_view(*normal).substr(normal->rfind('.') + 1);
  return !std::all_of(highest.begin(), highest.end(), is_digit);
}

}  // namespace postproof::dns
