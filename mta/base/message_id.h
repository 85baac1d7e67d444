// The queue's name for a message: 16 bits of node, 48 of a sequence. Written as 16 hexadecimal digits.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postproof {

struct MessageId {
  std::uint64_t value = 0;  // 0: none

  static constexpr MessageId of(std::uint16_t node, std::uint64_t sequence) {
    return MessageId{(std::uint64_t{node} << 48) | (sequence & kSequenceMask)};
  }
  static constexpr std::uint64_t kSequenceMask = (std::uint64_t{1} << 48) - 1;
  static std::optional<MessageId> parse(std::string_view text);

  std::uint16_t node() const { return static_cast<std::uint16_t>(value >> 48); }
  std::uint64_t sequence() const { return value & kSequenceMask; }
  std::string to_string() const;

  auto operator<=>(const MessageId&) const = default;
};

}  // namespace postproof
