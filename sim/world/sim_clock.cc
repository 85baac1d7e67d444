#include "sim/world/sim_clock.h"

#include <algorithm>
#include <utility>

#include "sim/world/core.h"
#include "sim/world/host.h"
#include "sim/world/life.h"

namespace postproof::sim::world {

WallTime SimClock::now() const {
  const Host& host = life_.host();
  return host.clock.wall(host.core.settings.start, life_.loop().now());
}

MonoTime SimClock::mono() const { return MonoTime(life_.loop().now()); }

Clock::TimerId SimClock::call_at(MonoTime when, Callback callback) {
  std::uint32_t index;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(timers_.size());
    timers_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Timer& timer = timers_[index];
  timer.callback = std::move(callback);
  timer.at = when.time_since_epoch();
  timer.earlier = last_;
  timer.later = kNone;
  (last_ == kNone ? first_ : timers_[last_].later) = index;
  last_ = index;
  ++pending_;
  const TimerId id = id_of(index);
  if (life_.dead()) {
    fire_closed(index);
  } else if (when != kNever) {
    timer.event = life_.loop().at(timer.at, [this, id] { fire(id, true); });
  }
  return id;
}

bool SimClock::cancel(TimerId id) {
  Timer* timer = find(id);
  if (timer == nullptr) return false;
  if (timer->event != 0) life_.loop().cancel(timer->event);
  const Callback dropped = take(static_cast<std::uint32_t>(id));
  return true;
}

void SimClock::end() {
  for (std::uint32_t index = first_; index != kNone; index = timers_[index].later) fire_closed(index);
}

std::optional<Duration> SimClock::next() const {
  std::optional<Duration> next;
  for (std::uint32_t index = first_; index != kNone; index = timers_[index].later) {
    const Timer& timer = timers_[index];
    if (timer.event != 0) next = next ? std::min(*next, timer.at) : timer.at;
  }
  return next;
}

SimClock::Timer* SimClock::find(TimerId id) {
  const auto index = static_cast<std::uint32_t>(id);
  if (index >= timers_.size() || timers_[index].generation != static_cast<std::uint32_t>(id >> 32)) return nullptr;
  return &timers_[index];
}

Clock::Callback SimClock::take(std::uint32_t index) {
  Timer& timer = timers_[index];
  (timer.earlier == kNone ? first_ : timers_[timer.earlier].later) = timer.later;
  (timer.later == kNone ? last_ : timers_[timer.later].earlier) = timer.earlier;
  timer.event = 0;
  // 0 would make an id of 0 in the first slot, which is no timer.
  if (++timer.generation == 0) timer.generation = 1;
  free_.push_back(index);
  --pending_;
  return std::exchange(timer.callback, Callback());
}

void SimClock::fire(TimerId id, bool alive) {
  if (find(id) == nullptr) return;  // cancelled on its way through the queue
  if (alive && life_.paused()) {    // it has come, and the program sees that later
    life_.post([this, id] { fire(id, true); });
    return;
  }
  Callback callback = take(static_cast<std::uint32_t>(id));
  callback(alive);
}

void SimClock::fire_closed(std::uint32_t index) {
  Timer& timer = timers_[index];
  if (timer.event != 0) life_.loop().cancel(timer.event);
  timer.event = 0;
  life_.post([this, id = id_of(index)] { fire(id, false); });
}

}  // namespace postproof::sim::world
