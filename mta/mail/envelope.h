// What the sender said of a message outside its content: from whom, for whom, of what kind, and how it is to be handled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mta/base/time.h"
#include "mta/mail/address.h"

namespace postproof {

// RFC 6152 section 3.
enum class BodyType : std::uint8_t { seven_bit, eight_bit };

// Of what the sender wants reports (NOTIFY=, RFC 3461 section 4.1).
struct Notify {
  bool said = false;  // false: failures, and delays as we think fit; the rest says nothing then
  bool success = false, failure = false, delay = false;  // said and none of them: NEVER

  bool wants_failure() const { return !said || failure; }
  bool operator==(const Notify&) const = default;
};

// How much of the message a failure report returns (RET=, RFC 3461 section 4.3).
enum class Return : std::uint8_t { unsaid, headers, full };

// DELIVERBY (RFC 2852 section 4).
struct DeliverBy {
  WallTime when{};
  bool give_up = false;  // mode R: it is returned then; otherwise (N) the sender is told that it is late
  bool trace = false;    // the sender is told of hosts that do not know DELIVERBY
  bool operator==(const DeliverBy&) const = default;
};

struct Recipient {
  Address address;
  Notify notify{};
  std::string original{};  // ORCPT= as it came, "rfc822;bob+40dest.example" (RFC 3461 section 4.2); empty: not said
  bool operator==(const Recipient&) const = default;
};

struct Envelope {
  ReversePath sender;
  std::vector<Recipient> recipients;  // in the order of the RCPT commands; the index is the recipient's name
  BodyType body = BodyType::seven_bit;
  bool utf8 = false;                    // SMTPUTF8 (RFC 6531 section 3.4)
  Return ret = Return::unsaid;
  std::string id;                       // ENVID= as it came, in xtext (RFC 3461 section 4.4); empty: not said
  std::optional<std::string> submitter; // AUTH= as it came (RFC 4954 section 5): xtext, or "<>"
  int priority = 0;                     // MT-PRIORITY (RFC 6710 section 5), -9 to 9
  std::optional<DeliverBy> deliver_by;
  std::optional<WallTime> hold_until;   // FUTURERELEASE (RFC 4865 section 4): no attempt before
  bool operator==(const Envelope&) const = default;
};

}  // namespace postproof
