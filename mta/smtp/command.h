// The grammar of SMTP commands (RFC 5321 sections 4.1.1 to 4.1.3). No I/O, no state.
//
// Verbs, parameters and paths that are fine come out as a Command; everything else as the reply that refuses
// it: 500 not a command, 501 bad arguments, 502 a command that we know and do not offer, 555 a parameter that
// we do not. Whether a command may come now is the session's to say.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "mta/smtp/capabilities.h"
#include "mta/smtp/parameters.h"
#include "mta/smtp/reply.h"
#include "mta/smtp/xclient.h"

namespace postproof::smtp {

namespace command {
struct Hello {
  bool extended = false;  // EHLO
  std::string name;       // what the client calls itself, as said
};
struct Mail {
  MailParams params;
};
struct Rcpt {
  RcptParams params;
};
struct Data {};
// RFC 3030 section 2. Without a size: it could not be read, and whether content or commands follow cannot be told.
struct Bdat {
  std::optional<std::uint64_t> size;
  bool last = false;
};
struct Rset {};
struct Noop {};
struct Vrfy {};
// RFC 1985.
struct Etrn {
  std::string domain;       // lower case
  bool subdomains = false;  // those below it too
};
struct Help {};
struct StartTls {};
struct Xclient {
  XclientAttributes attributes;
};
struct Auth {
  std::string mechanism;                // as said
  std::optional<std::string> response;  // the initial one, in base64, or "="
};
struct Quit {};
}  // namespace command

using Command = std::variant<command::Hello, command::Mail, command::Rcpt, command::Data, command::Bdat, command::Rset,
                             command::Noop, command::Vrfy, command::Etrn, command::Xclient, command::Help,
                             command::StartTls, command::Auth, command::Quit>;

// `line` without its CRLF, of any octets. `offered`: what stands in the session; after HELO nothing does, and MAIL and RCPT
// have no parameters (RFC 5321 section 4.1.1.11).
std::expected<Command, Reply> parse_command(std::string_view line, const Capabilities& offered);

// Content follows the line, whatever is wrong with it: it begins as a BDAT does.
bool begins_chunk(std::string_view line);

// The line begins a request of HTTP, or a TLS handshake: whoever sends it does not know that this is SMTP, and what
// follows may be commands that somebody has put into its content (a web page that posts to our port).
bool is_another_protocol(std::string_view line);

}  // namespace postproof::smtp
