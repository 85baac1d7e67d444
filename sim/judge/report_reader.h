// Reads delivery reports (RFC 3464 in a multipart/report of RFC 6522) as a mail program that never saw
// their sender would: with a parser of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/time.h"

namespace postproof::sim {

// One group of fields of a message/delivery-status; a field that is missing is empty.
struct ReportRecipient {
  std::string final_recipient;  // "rfc822; bob@dest.example", as it stands; so are all of them
  std::string action, status, remote_mta, diagnostic_code, original_recipient, last_attempt_date, will_retry_until;

  std::string address() const;  // of final_recipient, without its type and the encoding of UTF-8
};

struct Report {
  std::string reporting_mta, original_envelope_id, arrival_date;
  std::vector<ReportRecipient> recipients;
  enum class Returned : std::uint8_t { nothing, headers, full } returned = Returned::nothing;
  std::string original_header;  // of the message reported about, decoded, CRLF lines, trace included; may be empty
};

// None: the content is no such report.
std::optional<Report> read_report(std::string_view content);

// A date of RFC 5322 section 3.3: "Thu, 1 Jan 2026 00:15:00 +0000".
std::optional<WallTime> read_date(std::string_view value);

// The field's value without a type in front: "smtp; 550 no" gives "550 no".
std::string_view without_type(std::string_view value);

// The values of all header fields of this name, unfolded, blanks at the ends taken off. `content` is a
// whole message or a header alone.
std::vector<std::string> header_values(std::string_view content, std::string_view name);

// The header of a message: up to the empty line, without it.
std::string_view header_of(std::string_view content);

}  // namespace postproof::sim
