// The extensions that stand in a session, as the reply to EHLO tells them (RFC 5321 section 4.1.1.1): what our server offers
// and its commands may use, and what a server offers our client. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mta/base/time.h"
#include "mta/smtp/reply.h"

namespace postproof::smtp {

// RFC 4865 section 4: how far ahead a message may be held.
struct FutureRelease {
  Duration interval_max{};
  WallTime until_max{};
  bool operator==(const FutureRelease&) const = default;
};

struct Capabilities {
  bool extended = false;  // EHLO was taken
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool enhanced_status_codes = false;
  bool start_tls = false;
  bool size = false;                      // MAIL may say SIZE=
  std::optional<std::uint64_t> size_max;  // and it has a limit; none for "SIZE" and "SIZE 0" (RFC 1870 section 4)
  bool chunking = false;                  // BDAT (RFC 3030)
  bool dsn = false;                       // RFC 3461
  bool utf8 = false;                      // SMTPUTF8 (RFC 6531)
  bool etrn = false;                      // RFC 1985
  bool mt_priority = false;               // RFC 6710
  std::vector<std::string> auth;          // SASL mechanisms, upper case, in the order of preference told (RFC 4954)
  std::optional<std::uint64_t> mail_max;  // LIMITS (RFC 9422): transactions of one session
  std::optional<std::uint64_t> rcpt_max;  // recipients of one transaction
  std::optional<Duration> deliver_by;     // DELIVERBY (RFC 2852): the least time that mode R may give; 0: any
  std::optional<FutureRelease> future_release;
  std::vector<std::string> xclient;       // attributes that XCLIENT may set

  // Keywords in any case; what is unknown or malformed counts as not offered. `reply` is a positive one.
  static Capabilities of(const Reply& ehlo);
  // What of() reads: a line each, without the server's name.
  std::vector<std::string> lines() const;

  bool operator==(const Capabilities&) const = default;
};

}  // namespace postproof::smtp
