// The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): the header by which a proxy tells at the beginning of a
// connection whose it is. No I/O.
//
// Octets are asked for, so that not one behind the header is read: what follows is SMTP, or TLS. What is not such a header to
// the letter is malformed; nothing is guessed. Of version 2 the further fields (TLV) are skipped.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "mta/base/endpoint.h"

namespace postproof::smtp {

class ProxyHeader {
 public:
  struct Ends {
    Endpoint client, server;
  };
  enum class State : unsigned char { incomplete, whole, malformed };

  // Octets that can only be the header's: as many may come next, and no more. 0 unless incomplete.
  std::size_t wanted() const;
  // At most wanted().
  void feed(std::string_view octets);

  State state() const { return state_; }
  // Of a whole one. None: the connection is the proxy's own (LOCAL), or from where it cannot tell (UNKNOWN, UNSPEC).
  const std::optional<Ends>& ends() const { return ends_; }

  // A header is longer than this in no version that is read: more is malformed.
  static constexpr std::size_t kSizeMax = 4096;

 private:
  void read_text();
  void read_binary();

  std::string header_;
  State state_ = State::incomplete;
  std::optional<Ends> ends_;
};

}  // namespace postproof::smtp
