// Logins that have failed, by client address, for as long as they are remembered: who guesses waits longer each time, and
// in the end is not heard. A login that succeeds in between forgives nothing: it may be the guesser's own. An IPv6 client
// is its /64, which is what one customer has.
#pragma once

#include <map>

#include "mta/base/endpoint.h"
#include "mta/base/time.h"

namespace postproof::auth {

class Failures {
 public:
  static constexpr Duration kMemory = 10min;       // since the last
  static constexpr std::size_t kClientsMax = 10'000;  // more: the one that was last heard of longest ago is forgotten

  // Gives how many there are by now.
  unsigned note(const Endpoint& client, MonoTime now);
  unsigned count(const Endpoint& client, MonoTime now) const;

 private:
  struct Entry {
    unsigned count = 0;
    MonoTime last{};
  };
  std::map<IpAddress, Entry> clients_;
};

}  // namespace postproof::auth
