// Delivery status notifications: the text of a report as a multipart/report (RFC 6522, RFC 3464), from what is known of the
// message and its recipients. No I/O.
//
// A report is 7 bit, but for two things that are sent as they are: the whole of a message with 8-bit octets, and the
// address in UTF-8 that the report itself goes to. What the sender has said in xtext is decoded only if all of it is
// printable US-ASCII: no octet of it begins a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mta/base/message_id.h"
#include "mta/base/time.h"
#include "mta/mail/address.h"
#include "mta/mail/enhanced_status.h"

namespace postproof {

// RFC 3464 section 2.3.3.
enum class DsnAction : std::uint8_t {
  failed,
  relayed,  // passed on to a host that sends no reports of success
};

struct DsnRecipient {
  Address recipient;
  std::string original{};        // ORCPT= as it came (RFC 3461 section 4.2); empty: not said
  DsnAction action = DsnAction::failed;
  EnhancedStatus status;         // class 5; of `relayed` 2
  std::string remote_host;       // name of the host that decided; empty: none did
  bool said_by_peer = false;     // `diagnostic` is an SMTP reply
  std::string diagnostic;        // octets that do not print are escaped in the report
  std::optional<WallTime> last_attempt;
};

struct DeliveryReport {
  std::string hostname;          // ours: Reporting-MTA, and where MAILER-DAEMON lives
  std::string from;              // address of the From field; empty: MAILER-DAEMON there
  Address to;                    // reverse-path of the message
  MessageId message;             // the message that it is about
  std::string envelope_id;       // ENVID= as it came, in xtext; empty: not said
  WallTime arrived{};
  WallTime now{};
  bool expired = false;          // given up after the lifetime, for the text
  std::vector<DsnRecipient> recipients;  // at least one
  std::string returned;          // of the message, CRLF lines: its header, without the empty line; empty: unreadable
  bool whole = false;            // `returned` is all of it
};

// The whole message, CRLF lines; of at most 998 octets, but for those of a message that is returned whole.
std::string report_text(const DeliveryReport& report);

}  // namespace postproof
