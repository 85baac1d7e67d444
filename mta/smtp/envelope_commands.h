// MAIL and RCPT as a client says them: which parameters of an envelope a peer's extensions allow, and what the peer cannot
// take because it lacks one. Where nothing is lost by it, a parameter that the peer does not know is left out: whoever
// settles the attempt knows from the peer's capabilities (RFC 3461 section 5.2). No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mta/base/result.h"
#include "mta/base/time.h"
#include "mta/mail/enhanced_status.h"
#include "mta/mail/envelope.h"
#include "mta/smtp/capabilities.h"

namespace postproof::smtp {

// Why a peer cannot take a message, with the status that its sender is told.
struct Unmet {
  Error error;
  EnhancedStatus status;
};

// `size`: octets of the content. None: the peer has all that the message needs.
std::optional<Unmet> unmet_need(const Envelope& envelope, std::uint64_t size, const Capabilities& peer, WallTime now);

// Without CRLF. `peer` has what the message needs.
std::string mail_command(const Envelope& envelope, std::uint64_t size, const Capabilities& peer, WallTime now);
std::string rcpt_command(const Envelope& envelope, const Recipient& recipient, const Capabilities& peer);

}  // namespace postproof::smtp
