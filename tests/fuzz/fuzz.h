// What fuzz targets share. A target feeds octets to one parser and holds what comes out to what its header promises; a broken
// promise ends the program, as a crash does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mta/base/check.h"

namespace postproof::fuzz {

inline std::string_view octets(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// One line that ends in CRLF, or several, of which each begins as a reply's line does (RFC 5321 section 4.2).
inline void check_reply_wire(std::string_view wire) {
  while (!wire.empty()) {
    const auto end = wire.find("\r\n");
    PP_CHECK(end != std::string_view::npos, "a reply's line without its end");
    const std::string_view line = wire.substr(0, end);
    PP_CHECK(line.size() >= 4 && line[0] >= '2' && line[0] <= '5', "a line that begins with no code");
    PP_CHECK(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos, "a control octet in a reply");
    wire.remove_prefix(end + 2);
  }
}

}  // namespace postproof::fuzz
