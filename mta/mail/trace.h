// Trace information that a relay puts on top of a message (RFC 5321 section 4.4). No I/O.
#pragma once

#include <optional>
#include <string>

#include "mta/base/endpoint.h"
#include "mta/base/message_id.h"
#include "mta/base/time.h"
#include "mta/mail/address.h"

namespace postproof {

struct Received {
  std::string helo;            // as the client said it
  std::optional<IpAddress> client;  // none: not over IP
  std::string by;              // our host name
  std::string with;            // "SMTP", "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" (RFC 3848)
  MessageId id;
  std::optional<Address> only_recipient;  // named in "for" only when there is just one: no recipient learns of another
  WallTime when{};
  std::string tls{};  // version and cipher, told in a comment; empty: none
  std::string client_name{};  // of the client in the DNS; empty: not known
};

// The whole header field, folded, with its last CRLF. Nothing that the client said can start a line of its own.
std::string received_field(const Received& received);

}  // namespace postproof
