#include "mta/smtp/capabilities.h"

#include "mta/base/text.h"

namespace postproof::smtp {

namespace {

// RFC 1870 section 4. A number that cannot be read, or does not fit, says nothing about a limit; 0 says that there is
// none. The extension stands offered all the same.
std::optional<std::uint64_t> size_limit(std::string_view parameter) {
  const auto limit = parse_decimal(parameter);
  return limit && *limit > 0 ? limit : std::nullopt;
}

}  // namespace

Capabilities Capabilities::of(const Reply& ehlo) {
  Capabilities offered;
  offered.extended = true;
  // The first line is the server's name and greeting.
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {
    const std::string_view line = trim(ehlo.lines[i]);
    const auto blank = line.find(' ');
    const std::string_view keyword = line.substr(0, blank);
    const std::string_view parameter =
        blank == std::string_view::npos ? std::string_view() : trim(line.substr(blank + 1));
    if (equal_ignoring_case(keyword, "PIPELINING")) {
      offered.pipelining = true;
    } else if (equal_ignoring_case(keyword, "8BITMIME")) {
      offered.eight_bit_mime = true;
    } else if (equal_ignoring_case(keyword, "ENHANCEDSTATUSCODES")) {
      offered.enhanced_status_codes = true;
    } else if (equal_ignoring_case(keyword, "STARTTLS")) {
      offered.start_tls = true;
    } else if (equal_ignoring_case(keyword, "SIZE")) {
      offered.size = true;
      offered.size_max = size_limit(parameter);
    }
  }
  return offered;
}

}  // namespace postproof::smtp
