// When a recipient is tried again, and for how long.
#pragma once

#include <optional>
#include <vector>

#include "mta/base/time.h"
#include "mta/env/random.h"

namespace postproof::queue {

struct RetrySettings {
  // Waits, each from the start of one attempt to the start of the next; the last one repeats.
  std::vector<Duration> schedule = {5min, 10min, 30min, 1h, 2h, 3h};
  double jitter = 0.1;               // each wait is multiplied by 1 - jitter ... 1 + jitter
  Duration lifetime = 5 * 24h;       // from acceptance; the last attempt starts at the lifetime itself
  Duration bounce_lifetime = 24h;    // of our own bounces
};

// The start of the attempt after number `attempts` (from 1), which started at `started`, when the message was
// `age` old: never when it is older than `lifetime`, and none when that attempt was the last (it started at the
// lifetime or later).
std::optional<WallTime> next_attempt(const RetrySettings& settings, std::uint32_t attempts, WallTime started,
                                     Duration age, Duration lifetime, Random& random);

}  // namespace postproof::queue
