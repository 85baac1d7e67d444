#include "mta/os/clock.h"

#include <boost/asio/post.hpp>

namespace postproof::os {

WallTime OsClock::now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

MonoTime OsClock::mono() const { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

Clock::TimerId OsClock::call_at(MonoTime when, Callback callback) {
  const TimerId timer = timers_.add(when, std::move(callback));
  if (ended_) {
    end_soon();
  } else {
    arm();
  }
  return timer;
}

// The timer of Asio's stays as it is: should it fire for nothing, it is set anew then.
bool OsClock::cancel(TimerId timer) { return timers_.remove(timer); }

void OsClock::end() {
  ended_ = true;
  timer_.cancel();
  end_soon();
}

void OsClock::arm() {
  const MonoTime next = timers_.next();
  if (next == kNever || armed_ <= next) return;
  armed_ = next;
  timer_.expires_at(next);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;  // set anew, or ended
    armed_ = kNever;
    fire();
  });
}

void OsClock::fire() {
  // What the callbacks set waits for its own turn, so that a timer in the past cannot hold the loop.
  const std::uint64_t mark = timers_.mark();
  const MonoTime time = mono();
  while (auto due = timers_.take_due(time, mark)) (*due)(true);
  if (!ended_) arm();
}

void OsClock::end_soon() {
  if (end_posted_ || timers_.empty()) return;
  end_posted_ = true;
  boost::asio::post(core_.context, [this] { end_all(); });
}

void OsClock::end_all() {
  end_posted_ = false;
  const std::uint64_t mark = timers_.mark();
  while (auto due = timers_.take_due(kNever, mark)) (*due)(false);
  end_soon();
}

}  // namespace postproof::os
