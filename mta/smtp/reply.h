// A reply of an SMTP server (RFC 5321 section 4.2), received or to be sent. A value; no I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/mail/enhanced_status.h"

namespace postproof::smtp {

struct Reply {
  int code = 0;                          // 200 to 599
  std::optional<EnhancedStatus> status;  // RFC 2034; its class always equals the code's first digit
  std::vector<std::string> lines;        // text of each line, without codes and CRLF; at least one

  // Reply::of(250, "2.1.0", "sender ok"). `status` may be empty.
  static Reply of(int code, std::string_view status, std::string text);

  bool positive() const { return code >= 200 && code < 300; }
  bool intermediate() const { return code >= 300 && code < 400; }
  bool transient() const { return code >= 400 && code < 500; }
  bool permanent() const { return code >= 500; }

  // As it goes over the wire: "250-...\r\n250 ...\r\n", the enhanced code on each line (RFC 2034 section 4).
  // No octet of the text can start a new line: control octets are written as spaces, 8-bit ones as '?'.
  std::string to_wire() const;
  // What stands behind the code, as it came: "5.1.1 no such user | try again".
  std::string text() const;
  // With the code: "550 5.1.1 no such user | try again". Octets as they came: whoever shows it escapes it.
  std::string to_string() const;

  bool operator==(const Reply&) const = default;
};

}  // namespace postproof::smtp
