// The operating system's clocks, and all timers of a loop on one timer of Asio's.
#pragma once

#include "mta/env/clock.h"
#include "mta/os/core.h"
#include "mta/os/timer_queue.h"

namespace postproof::os {

class OsClock final : public Clock {
 public:
  explicit OsClock(Core& core) : core_(core), timer_(core.context) {}

  WallTime now() const override;
  MonoTime mono() const override;
  TimerId call_at(MonoTime when, Callback callback) override;
  bool cancel(TimerId timer) override;

  // The loop stops: every timer that stands or will be set fires at once, with alive = false.
  void end();

 private:
  void arm();
  void fire();
  void end_soon();
  void end_all();

  Core& core_;
  Timer timer_;
  TimerQueue timers_;
  MonoTime armed_ = kNever;  // when timer_ will fire; kNever: not at all
  bool ended_ = false;
  bool end_posted_ = false;
};

}  // namespace postproof::os
