#include "mta/auth/nonce.h"

#include "mta/base/base64.h"

namespace postproof::auth {

std::string make_nonce(Random& random) {
  constexpr int kDraws = 3, kOctetsOfEach = 6;
  std::string octets;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::uint64_t bits = random.next();
    for (int i = 0; i < kOctetsOfEach; ++i, bits >>= 8) octets += static_cast<char>(bits & 0xff);
  }
  return base64_encode(octets);
}

}  // namespace postproof::auth
