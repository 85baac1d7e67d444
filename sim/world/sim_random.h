// The world's randomness: xoshiro256** streams, each seeded from the world's seed, the host's name and
// life, and the stream's own name. No std:: distribution: their results differ between libraries.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "mta/env/random.h"

namespace postproof::sim::world {

// xoshiro256** 1.0 by Blackman and Vigna, seeded by splitmix64.
class SimRandom final : public Random {
 public:
  explicit SimRandom(std::uint64_t seed);
  std::uint64_t next() override;

 private:
  std::uint64_t state_[4];
};

// A stream that is asked for again by the same name is another one, as on a real system.
class SimEntropy final : public Entropy {
 public:
  SimEntropy(std::uint64_t seed, std::string_view owner, std::uint64_t life);
  std::unique_ptr<Random> stream(std::string_view name) override;

 private:
  std::uint64_t seed_;
  std::map<std::string, std::uint64_t, std::less<>> asked_;
};

}  // namespace postproof::sim::world
