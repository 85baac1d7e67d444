// The draws that are made from 64 uniform bits must be uniform themselves, and the same everywhere.
#include "mta/env/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <vector>

namespace postproof {
namespace {

// Gives the draws that it was made with, one after the other.
class Given final : public Random {
 public:
  explicit Given(std::vector<std::uint64_t> draws) : draws_(std::move(draws)) {}
  std::uint64_t next() override { return draws_.at(used_++); }
  std::size_t used() const { return used_; }

 private:
  std::vector<std::uint64_t> draws_;
  std::size_t used_ = 0;
};

// splitmix64: good enough to be counted.
class Counted final : public Random {
 public:
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_ = 42;
};

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("below: draws again in the incomplete last stretch, and only there") {
  struct Row {
    std::uint64_t bound;
    std::vector<std::uint64_t> draws;
    std::uint64_t expected;
    std::size_t used;
  };
  const std::uint64_t half = std::uint64_t{1} << 63;
  const Row rows[] = {
      {1, {kMost}, 0, 1},
      {2, {kMost}, 1, 1},
      {256, {kMost}, 255, 1},
      {3, {kMost - 1}, 2, 1},  // 2^64 = 3 * k + 1: only the last value is too many
      {3, {kMost, 7}, 1, 2},
      {10, {kMost - 6}, 9, 1},  // 2^64 = 10 * k + 6
      {10, {kMost - 5, kMost, 4}, 4, 3},
      {half, {kMost}, half - 1, 1},
      {half + 1, {half}, half, 1},  // one stretch fits
      {half + 1, {half + 1, kMost, 0}, 0, 3},
      {kMost, {kMost - 1}, kMost - 1, 1},
      {kMost, {kMost, 5}, 5, 2},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bound);
    Given random(row.draws);
    CHECK(random.below(row.bound) == row.expected);
    CHECK(random.used() == row.used);
  }
}

TEST_CASE("below: every value comes up as often as the others") {
  Counted random;
  std::array<int, 7> seen{};
  for (int i = 0; i < 70'000; ++i) ++seen[random.below(seen.size())];
  // 10,000 each; 6 standard deviations are 556.
  for (const int count : seen) CHECK(std::abs(count - 10'000) < 556);
}

TEST_CASE("fraction: from 0 to just below 1") {
  Given random({0, kMost, std::uint64_t{1} << 63});
  CHECK(random.fraction() == 0.0);
  CHECK(random.fraction() == 1.0 - 0x1.0p-53);
  CHECK(random.fraction() == 0.5);
}

TEST_CASE("shuffle: a fixed order for fixed draws, and every order equally likely") {
  std::vector<int> items{1, 2, 3, 4};
  Given random({0, 0, 0});
  random.shuffle(std::span<int>(items));
  CHECK(items == std::vector<int>{2, 3, 4, 1});

  std::array<int, 6> seen{};
  Counted counted;
  for (int i = 0; i < 60'000; ++i) {
    std::array<int, 3> three{0, 1, 2};
    counted.shuffle(std::span<int>(three));
    ++seen[static_cast<std::size_t>(three[0] * 2 + (three[1] > three[2] ? 1 : 0))];
  }
  for (const int count : seen) CHECK(std::abs(count - 10'000) < 548);

  std::vector<int> none;
  Given unused({});
  unused.shuffle(std::span<int>(none));
  CHECK(unused.used() == 0);
}

}  // namespace
}  // namespace postproof
