#include "sim/world/sim_work.h"

#include <algorithm>

#include "sim/world/life.h"

namespace postproof::sim::world {

namespace {

constexpr Duration kJobCost = 20ms;  // of a password hash, which is what such work is

}  // namespace

Task<Result<void>> SimWork::run(Job job) {
  const MonoTime now = life_.clock().mono();
  busy_until_ = std::max(busy_until_, now) + kJobCost;
  const bool alive = co_await pause(life_, busy_until_ - now);
  if (!alive || life_.gone()) co_return fail(Errc::closed, "work");
  job();
  co_return Result<void>{};
}

}  // namespace postproof::sim::world
