// The parameters of MAIL and RCPT (RFC 5321 section 4.1.1.11), as values: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8
// (RFC 6531), RET, ENVID, NOTIFY and ORCPT (RFC 3461), AUTH (RFC 4954), BY (RFC 2852), HOLDFOR and HOLDUNTIL (RFC 4865),
// MT-PRIORITY (RFC 6710). No I/O.
//
// A parameter of an extension that the session does not offer is refused by 555, one that is malformed, or that does not go
// together with another, by 501.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "mta/mail/envelope.h"
#include "mta/smtp/capabilities.h"
#include "mta/smtp/reply.h"

namespace postproof::smtp {

// DELIVERBY as it is said: relative to the moment of the command.
struct DeliverWithin {
  Duration time{};
  bool give_up = false;  // mode R
  bool trace = false;
  bool operator==(const DeliverWithin&) const = default;
};

struct MailParams {
  ReversePath sender;
  std::optional<std::uint64_t> size;
  BodyType body = BodyType::seven_bit;
  bool utf8 = false;
  Return ret = Return::unsaid;
  std::string envelope_id;               // ENVID, in xtext
  std::optional<std::string> submitter;  // AUTH: xtext, or "<>"
  std::optional<DeliverWithin> deliver_within;
  std::optional<Duration> hold_for;
  std::optional<WallTime> hold_until;
  std::optional<int> priority;
};

struct RcptParams {
  Address recipient;
  Notify notify;
  std::string original;  // ORCPT as it came
};

// `text`: what stands behind the path. None: all is in `params`; otherwise the reply that refuses it.
std::optional<Reply> read_mail_parameters(std::string_view text, const Capabilities& offered, MailParams& params);
std::optional<Reply> read_rcpt_parameters(std::string_view text, const Capabilities& offered, RcptParams& params);

}  // namespace postproof::smtp
