#include "mta/env/random.h"

#include "mta/base/check.h"

namespace postproof {

std::uint64_t Random::below(std::uint64_t bound) {
  PP_CHECK(bound > 0, "a draw from nothing");
  // Draws again in the incomplete last stretch, so that all values are equally likely.
  const std::uint64_t rest = (UINT64_MAX % bound + 1) % bound;
  for (;;) {
    const std::uint64_t draw = next();
    if (draw <= UINT64_MAX - rest) return draw % bound;
  }
}

double Random::fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

}  // namespace postproof
