// Waiting within one Env: for a notification, for a time, or for both.
#pragma once

#include <functional>

#include "mta/env/env.h"

namespace postproof {

enum class Woken : std::uint8_t {
  notified,
  deadline,
  closed,  // the world goes away: end, and start nothing
};

// One waiter, any number of notifiers, all on the Env's thread. A notification before the wait is kept
// (one of them) and ends the next wait; the waiter then looks again at what it waits for.
class Wakeup {
 public:
  explicit Wakeup(Env& env) : env_(env) {}
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup();  // nobody may be waiting

  void notify();
  Task<Woken> wait(Deadline deadline = kNever);

 private:
  void finish(Woken woken);

  Env& env_;
  bool notified_ = false;
  Clock::TimerId timer_ = 0;
  std::move_only_function<void(Woken)> waiter_;
};

// deadline, or closed.
Task<Woken> sleep_until(Env& env, MonoTime when);

}  // namespace postproof
