// xtext (RFC 3461 section 4): text that fits into an SMTP parameter, with "+41" for an octet that does not. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postproof {

// Printable US-ASCII but "+" and "=" stays, every other octet becomes "+" and two upper case hexadecimal digits.
std::string encode_xtext(std::string_view octets);

// None for what is no xtext. The octets may be any: who shows or sends them sees to that.
std::optional<std::string> decode_xtext(std::string_view text);

}  // namespace postproof
