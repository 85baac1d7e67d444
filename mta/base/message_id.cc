#include "mta/base/message_id.h"

#include <fmt/format.h>

namespace postproof {

std::optional<MessageId> MessageId::parse(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint64_t>(c - 'a') + 10;
    } else {
      return std::nullopt;
    }
    value = value << 4 | digit;
  }
  return MessageId{value};
}

std::string MessageId::to_string() const { return fmt::format("{:016x}", value); }

}  // namespace postproof
