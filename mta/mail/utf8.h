// UTF-8 in addresses: what may stand there (RFC 6531 section 3.3, RFC 3629), and how it is written where only US-ASCII may
// (RFC 6533 section 3). No I/O.
#pragma once

#include <string>
#include <string_view>

namespace postproof {

// Every character whole, in its shortest form, no surrogate and nothing above U+10FFFF.
bool is_valid_utf8(std::string_view text);

// utf-8-addr-xtext: "\x{E9}" for what is not US-ASCII, and for blanks, "+", "=" and the backslash. `text` is valid UTF-8.
std::string encode_utf8_address(std::string_view text);

// As above for what is not US-ASCII alone: of an address that came in utf-8-addr-xtext or utf-8-addr-unitext.
std::string encode_utf8_octets(std::string_view text);

}  // namespace postproof
