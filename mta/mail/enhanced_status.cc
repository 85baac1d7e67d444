#include "mta/mail/enhanced_status.h"

#include <fmt/format.h>

#include "mta/base/text.h"

namespace postproof {

namespace {

// RFC 3463 section 2: 1 to 3 digits; RFC 2034 section 4: no leading zeros.
std::optional<std::uint16_t> parse_part(std::string_view text) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  const auto value = parse_decimal(text);
  if (!value) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

}  // namespace

std::optional<EnhancedStatus> EnhancedStatus::parse(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 3 || (parts[0] != "2" && parts[0] != "4" && parts[0] != "5")) return std::nullopt;
  const auto subject = parse_part(parts[1]);
  const auto detail = parse_part(parts[2]);
  if (!subject || !detail) return std::nullopt;
  return EnhancedStatus{static_cast<std::uint8_t>(parts[0][0] - '0'), *subject, *detail};
}

std::string EnhancedStatus::to_string() const { return fmt::format("{}.{}.{}", klass, subject, detail); }

}  // namespace postproof
