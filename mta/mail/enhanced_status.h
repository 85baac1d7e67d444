// Enhanced mail system status codes (RFC 3463): class "." subject "." detail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postproof {

struct EnhancedStatus {
  std::uint8_t klass = 0;     // 2, 4 or 5
  std::uint16_t subject = 0;  // 0 to 999
  std::uint16_t detail = 0;   // 0 to 999

  // "5.1.1" and nothing else.
  static std::optional<EnhancedStatus> parse(std::string_view text);
  std::string to_string() const;

  auto operator<=>(const EnhancedStatus&) const = default;
};

}  // namespace postproof
