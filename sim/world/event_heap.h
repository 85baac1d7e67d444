// What will happen, by (time, sequence): events of one moment happen in the order in which they were
// added. A cancelled event is gone at once, so that it neither holds memory nor moves time on.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "mta/base/time.h"

namespace postproof::sim::world {

// Something to be done. Up to three words of captures need no memory of their own.
using Job = std::move_only_function<void()>;

using EventId = std::uint64_t;  // 0: none

class EventHeap {
 public:
  EventId add(Duration at, Job job);
  // False: it has happened or was cancelled already.
  bool cancel(EventId event);

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  Duration next_time() const { return heap_.front().at; }  // not when empty
  Job pop();                                               // not when empty

 private:
  struct Entry {
    Duration at;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  struct Slot {
    Job job;
    std::uint32_t generation = 1;
    std::uint32_t position = 0;
  };

  static bool before(const Entry& a, const Entry& b) { return a.at != b.at ? a.at < b.at : a.sequence < b.sequence; }
  void place(std::size_t position, const Entry& entry);
  void sift_up(std::size_t position, const Entry& entry);
  void sift_down(std::size_t position, const Entry& entry);
  Job take(std::uint32_t slot);

  std::vector<Entry> heap_;  // four children a node: shallower than two, and they share cache lines
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t sequence_ = 0;
};

}  // namespace postproof::sim::world
