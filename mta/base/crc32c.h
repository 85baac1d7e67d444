// CRC-32C (Castagnoli), as in RFC 3720 appendix B.4; crc32c("123456789") is 0xE3069283.
#pragma once

#include <cstdint>
#include <string_view>

namespace postproof {

// Continues from an earlier value: crc32c(b, crc32c(a)) is the CRC of a and b in a row.
std::uint32_t crc32c(std::string_view octets, std::uint32_t earlier = 0);

}  // namespace postproof
