// The timers of one event loop, soonest first; those of one moment in the order in which they were set.
//
// A binary heap of slot numbers; a slot knows its place in the heap, so that cancelling, which most
// deadlines end with, takes the timer out at once and leaves nothing behind.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mta/env/clock.h"

namespace postproof::os {

class TimerQueue {
 public:
  Clock::TimerId add(MonoTime when, Clock::Callback callback);
  // False: no such timer stands any more.
  bool remove(Clock::TimerId timer);

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  MonoTime next() const;  // kNever when empty

  // Grows with every add: what a timer that is set from now on will be behind.
  std::uint64_t mark() const { return sequence_; }
  // Takes out the soonest if it is due at `now` and was set before `mark`; else an empty optional.
  std::optional<Clock::Callback> take_due(MonoTime now, std::uint64_t mark);

 private:
  struct Slot {
    MonoTime when{};
    std::uint64_t sequence = 0;
    std::uint32_t place = 0;       // in heap_
    std::uint32_t generation = 0;  // grows when the slot is freed, so that an old id finds nothing
    bool used = false;
    Clock::Callback callback;
  };

  bool before(std::uint32_t a, std::uint32_t b) const;
  void put(std::uint32_t slot, std::size_t place);
  void rise(std::size_t place);
  void sink(std::size_t place);
  Clock::Callback take(std::uint32_t slot);

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace postproof::os
