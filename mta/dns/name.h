// Domain names in text form, as mail uses them: ASCII letters, digits, hyphens and underscores in labels
// (RFC 1123 section 2.1; underscores for _dmarc and the like). Pure functions.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace postproof::dns {

// Lower case, without the trailing dot; the error says why the text is no domain name.
std::expected<std::string, std::string> normal_name(std::string_view text);

// A normal name that can be a host's: not one that looks like an IPv4 address (RFC 1123 section 2.1:
// the highest label is never all digits).
bool is_host_name(std::string_view name);

}  // namespace postproof::dns
