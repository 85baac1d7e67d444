// The clocks of the world: wall time for what people read and what is stored, monotonic time for waits.
#pragma once

#include <cstdint>
#include <functional>

#include "mta/base/time.h"

namespace postproof {

class Clock {
 public:
  using TimerId = std::uint64_t;  // never 0
  // `alive` is false when the world is going away (a crash, a stop of the event loop) and the time has
  // not come: the callee then ends what it was doing and starts nothing.
  using Callback = std::move_only_function<void(bool alive)>;

  virtual ~Clock() = default;

  virtual WallTime now() const = 0;
  virtual MonoTime mono() const = 0;

  // Calls once at `when` or as soon after as possible, on the Env's executor, never from within
  // call_at. Timers of one moment fire in the order in which they were set. kNever is allowed: such a
  // timer fires only when the world goes away.
  virtual TimerId call_at(MonoTime when, Callback callback) = 0;

  // True: the callback will not be called any more. False: it has been called or cancelled already.
  virtual bool cancel(TimerId timer) = 0;
};

}  // namespace postproof
