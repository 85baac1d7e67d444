// Randomness, in named streams: a new draw in one part of the program does not shift the others'.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace postproof {

class Random {
 public:
  virtual ~Random() = default;

  virtual std::uint64_t next() = 0;  // 64 uniform bits

  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1), 53 bits.
  double fraction();
  // Fisher-Yates: the same on every compiler, which std::shuffle does not promise.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      const std::size_t j = below(i);
      using std::swap;
      swap(items[i - 1], items[j]);
    }
  }
};

class Entropy {
 public:
  virtual ~Entropy() = default;
  // A stream of its own for each name ("dns.query-id"). In production all of them are the operating
  // system's cryptographic generator; in a simulation each is seeded by the world's seed, the node and the name.
  virtual std::unique_ptr<Random> stream(std::string_view name) = 0;
};

}  // namespace postproof
