// Five days of retries, to the second.
#include "mta/queue/retry.h"

#include <doctest/doctest.h>

using namespace postproof;
using namespace postproof::queue;

namespace {

class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  std::uint64_t value_;
};

constexpr WallTime kArrived{1'767'225'600s};

// When each attempt starts, since arrival, if each starts when it is due.
std::vector<Duration> starts(const RetrySettings& settings, Duration lifetime) {
  FixedRandom random(0);
  std::vector<Duration> all{Duration{0}};
  for (std::uint32_t attempts = 1; all.size() < 1000; ++attempts) {
    const auto next = next_attempt(settings, attempts, kArrived + all.back(), all.back(), lifetime, random);
    if (!next) break;
    all.push_back(*next - kArrived);
  }
  return all;
}

}  // namespace

TEST_CASE("retry: the default schedule over five days") {
  RetrySettings settings;
  settings.jitter = 0;
  std::vector<Duration> expected{0s, 5min, 15min, 45min, 1h + 45min, 3h + 45min, 6h + 45min};
  while (expected.back() + 3h < 120h) expected.push_back(expected.back() + 3h);
  expected.push_back(120h);
  CHECK(starts(settings, settings.lifetime) == expected);
  CHECK(expected.size() == 45);
}

TEST_CASE("retry: the last start is at the lifetime itself, whatever the schedule") {
  RetrySettings settings;
  settings.jitter = 0;
  settings.schedule = {10min};
  CHECK(starts(settings, 25min) == std::vector<Duration>{0s, 10min, 20min, 25min});
  CHECK(starts(settings, 20min) == std::vector<Duration>{0s, 10min, 20min});
  CHECK(starts(settings, 0s) == std::vector<Duration>{0s});
}

TEST_CASE("retry: jitter stays within its part, and within the lifetime") {
  RetrySettings settings;
  FixedRandom lowest(0), highest(UINT64_MAX);
  const auto low = next_attempt(settings, 1, kArrived, 0s, settings.lifetime, lowest);
  const auto high = next_attempt(settings, 1, kArrived, 0s, settings.lifetime, highest);
  CHECK(*low == kArrived + 270s);
  CHECK(*high <= kArrived + 330s);
  CHECK(*high > kArrived + 329s);
  CHECK(*next_attempt(settings, 1, kArrived, 0s, 5min, highest) == kArrived + 5min);
}

TEST_CASE("retry: an attempt that started late is the last") {
  RetrySettings settings;
  FixedRandom random(0);
  CHECK_FALSE(next_attempt(settings, 3, kArrived + 121h, 121h, settings.lifetime, random));
}
