#include "sim/view/readable.h"

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

// The length of the UTF-8 character that begins here, 0 if none does (RFC 3629: no overlong form, no surrogate).
std::size_t character(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = octet(0);
  const std::size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && octet(1) < 0xa0) return 0;
  if (first == 0xed && octet(1) > 0x9f) return 0;
  if (first == 0xf0 && octet(1) < 0x90) return 0;
  if (first == 0xf4 && octet(1) > 0x8f) return 0;
  return size;
}

}  // namespace

std::string readable(std::string_view octets) {
  std::string text;
  while (!octets.empty()) {
    const std::size_t size = character(octets);
    const bool control = size == 1 && (octets[0] < 0x20 || octets[0] == 0x7f) && octets[0] != '\t';
    if (size == 0 || control) {
      text += escape(octets.substr(0, 1));
      octets.remove_prefix(1);
    } else {
      text += octets.substr(0, size);
      octets.remove_prefix(size);
    }
  }
  return text;
}

std::string readable_lines(std::string_view octets) {
  std::string text;
  for (const std::string_view line : split(octets, '\n')) {
    if (!text.empty() || line.data() != octets.data()) text += '\n';
    text += readable(line);
  }
  return text;
}

}  // namespace postproof::sim
