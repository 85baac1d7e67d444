// Octets for formats that know text only (HTML, JSON, XML): UTF-8 stays as it is, every other octet and every control
// character becomes \xHH, as in all views.
#pragma once

#include <string>
#include <string_view>

namespace postproof::sim {

// On one line; a tab stays.
std::string readable(std::string_view octets);
// The same of each line.
std::string readable_lines(std::string_view octets);

}  // namespace postproof::sim
