// Base64 (RFC 4648 section 4), and nothing that only resembles it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postproof {

std::string base64_encode(std::string_view octets);

// None for anything that base64_encode would not have written: octets outside the alphabet (section 3.3), padding that is
// missing, too much or in the middle (3.2), bits set that belong to no octet (3.5).
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace postproof
