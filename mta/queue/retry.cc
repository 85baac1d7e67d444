#include "mta/queue/retry.h"

#include <algorithm>

#include "mta/base/check.h"

namespace postproof::queue {

std::optional<WallTime> next_attempt(const RetrySettings& settings, std::uint32_t attempts, WallTime started,
                                     Duration age, Duration lifetime, Random& random) {
  PP_CHECK(!settings.schedule.empty(), "a retry schedule has at least one wait");
  PP_CHECK(attempts > 0, "attempts count from 1");
  if (age >= lifetime) return std::nullopt;
  Duration wait = settings.schedule[std::min<std::size_t>(attempts, settings.schedule.size()) - 1];
  if (settings.jitter > 0) {
    const double factor = 1 + settings.jitter * (2 * random.fraction() - 1);
    wait = Duration{static_cast<Duration::rep>(static_cast<double>(wait.count()) * factor)};
  }
  return started + std::min(wait, lifetime - age);
}

}  // namespace postproof::queue
