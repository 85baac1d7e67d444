// Delivery status notifications: the text of a failure report as a multipart/report (RFC 6522, RFC 3464),
// from what is known of the message and its recipients. No I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mta/base/message_id.h"
#include "mta/base/time.h"
#include "mta/mail/address.h"
#include "mta/mail/enhanced_status.h"

namespace postproof {

struct DsnRecipient {
  Address recipient;
  EnhancedStatus status;         // class 5
  std::string remote_host;       // name of the host that decided; empty: none did
  bool said_by_peer = false;     // `diagnostic` is an SMTP reply
  std::string diagnostic;        // octets that do not print are escaped in the report
  std::optional<WallTime> last_attempt;
};

struct FailureReport {
  std::string hostname;          // ours: Reporting-MTA, and where MAILER-DAEMON lives
  std::string from;              // address of the From field; empty: MAILER-DAEMON there
  Address to;                    // reverse-path of the message
  MessageId message;             // the message that failed
  WallTime arrived{};
  WallTime now{};
  bool expired = false;          // given up after the lifetime, for the text
  std::vector<DsnRecipient> recipients;  // at least one
  std::string original_header;   // header of the message, CRLF lines, without the empty line
};

// The whole message, CRLF lines of at most 998 octets, 7 bit.
std::string failure_report_text(const FailureReport& report);

}  // namespace postproof
