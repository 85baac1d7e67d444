// What a server offers, as its reply to EHLO says (RFC 5321 section 4.1.1.1). No I/O.
#pragma once

#include <cstdint>
#include <optional>

#include "mta/smtp/reply.h"

namespace postproof::smtp {

struct Capabilities {
  bool extended = false;  // the server took EHLO
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool enhanced_status_codes = false;
  bool start_tls = false;
  bool size = false;                      // SIZE was offered: MAIL may say SIZE=
  std::optional<std::uint64_t> size_max;  // and it gave a limit; none for "SIZE" and "SIZE 0" (RFC 1870 section 4)

  // Keywords in any case; what is unknown or malformed counts as not offered. `reply` is a positive one.
  static Capabilities of(const Reply& ehlo);

  bool operator==(const Capabilities&) const = default;
};

}  // namespace postproof::smtp
