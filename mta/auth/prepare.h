// Names and passwords in the one form in which they are compared: SASLprep (RFC 4013) of UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postproof::auth {

// None: not UTF-8, empty when prepared, or with octets that no name or password has (NUL and other controls,
// unassigned code points; RFC 4013 section 2.3).
std::optional<std::string> prepare(std::string_view text);

}  // namespace postproof::auth
