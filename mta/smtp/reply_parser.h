// Puts replies together from their lines (RFC 5321 section 4.2). Lines are pushed in; no I/O.
//
// A reply may come from a hostile server: its size is bounded, and whatever cannot be understood with certainty
// is an error, because a guess would credit one command with the answer to another.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "mta/base/result.h"
#include "mta/smtp/reply.h"

namespace postproof::smtp {

class ReplyParser {
 public:
  // One line without its end; `size` is what it took on the wire, if more was cut off. None: the reply goes on. An
  // error (Errc::protocol) ends the use of the parser: no code of 200 to 599, something other than a
  // blank or hyphen behind it, lines whose codes differ, more than kReplyOctets. More than kReplyLines lines are
  // read and forgotten.
  Result<std::optional<Reply>> feed(std::string_view line, std::size_t size = 0);

  // Octets of the reply that has begun and not ended.
  std::size_t octets() const { return octets_; }

 private:
  Reply reply_;  // code 0: between replies
  std::size_t octets_ = 0;
};

}  // namespace postproof::smtp
