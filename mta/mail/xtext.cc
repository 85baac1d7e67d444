#include "mta/mail/xtext.h"

#include <fmt/format.h>

namespace postproof {

namespace {

// RFC 3461 section 4: xchar.
bool stands_for_itself(char c) { return c >= '!' && c <= '~' && c != '+' && c != '='; }

// hexchar has upper case digits only.
std::optional<unsigned> hexadecimal_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

}  // namespace

std::string encode_xtext(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    if (stands_for_itself(c)) {
      text += c;
    } else {
      text += fmt::format("+{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

std::optional<std::string> decode_xtext(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (stands_for_itself(text[i])) {
      octets += text[i];
      continue;
    }
    if (text[i] != '+' || text.size() - i < 3) return std::nullopt;
    const auto high = hexadecimal_digit(text[i + 1]);
    const auto low = hexadecimal_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    octets += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return octets;
}

}  // namespace postproof
