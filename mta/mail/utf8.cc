#include "mta/mail/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace postproof {

namespace {

struct Character {
  std::uint32_t point = 0;
  std::size_t size = 0;
};

// The first character of a text that is not empty; none: it is no UTF-8.
std::optional<Character> first_character(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = octet(0);
  if (lead < 0x80) return Character{lead, 1};
  // RFC 3629 section 4: the lead octets C0, C1 and F5 to FF never stand in UTF-8.
  const std::size_t size = lead >= 0xc2 && lead <= 0xdf ? 2 : (lead & 0xf0) == 0xe0 ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (size == 0 || text.size() < size) return std::nullopt;
  std::uint32_t point = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xc0) != 0x80) return std::nullopt;
    point = (point << 6) | (octet(i) & 0x3fU);
  }
  const bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (overlong || surrogate || point > 0x10ffff) return std::nullopt;
  return Character{point, size};
}

// RFC 6533 section 3: QCHAR.
bool is_qchar(std::uint32_t point) {
  return point >= 0x21 && point <= 0x7e && point != '+' && point != '=' && point != '\\';
}

template <class Plain>
std::string encode(std::string_view text, Plain plain) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text).value_or(Character{0xfffd, 1});
    if (plain(character.point)) {
      out += text.substr(0, character.size);
    } else {
      out += fmt::format("\\x{{{:02X}}}", character.point);
    }
    text.remove_prefix(character.size);
  }
  return out;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto character = first_character(text);
    if (!character) return false;
    text.remove_prefix(character->size);
  }
  return true;
}

std::string encode_utf8_address(std::string_view text) { return encode(text, is_qchar); }

std::string encode_utf8_octets(std::string_view text) {
  return encode(text, [](std::uint32_t point) { return point < 0x80; });
}

}  // namespace postproof
