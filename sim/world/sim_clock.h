// The clocks of one life of a node. Monotonic time is the world's virtual time; wall time is the same
// plus where the world's calendar starts, plus how far this host's clock is off (host_clock.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mta/env/clock.h"
#include "sim/world/event_heap.h"

namespace postproof::sim::world {

class Life;

class SimClock final : public Clock {
 public:
  explicit SimClock(Life& life) : life_(life) {}

  WallTime now() const override;
  MonoTime mono() const override;
  TimerId call_at(MonoTime when, Callback callback) override;
  bool cancel(TimerId timer) override;

  // The life is over: every timer fires with alive = false, through the node's queue, in the order in
  // which they were set.
  void end();

  std::size_t pending() const { return pending_; }
  // The earliest moment among the pending timers; none when all of them wait without end.
  std::optional<Duration> next() const;

 private:
  struct Timer {
    Callback callback;
    EventId event = 0;  // 0: waits without end, or fires through the queue
    Duration at{};
    std::uint32_t generation = 1;
    std::uint32_t earlier = kNone, later = kNone;  // in the order in which they were set
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  Timer* find(TimerId id);
  TimerId id_of(std::uint32_t index) const { return (TimerId{timers_[index].generation} << 32) | index; }
  Callback take(std::uint32_t index);
  void fire(TimerId id, bool alive);
  void fire_closed(std::uint32_t index);

  Life& life_;
  std::vector<Timer> timers_;
  std::vector<std::uint32_t> free_;
  std::uint32_t first_ = kNone, last_ = kNone;
  std::size_t pending_ = 0;
};

}  // namespace postproof::sim::world
