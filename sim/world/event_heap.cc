#include "sim/world/event_heap.h"

#include <algorithm>
#include <utility>

namespace postproof::sim::world {

namespace {
constexpr std::size_t kChildren = 4;
}

EventId EventHeap::add(Duration at, Job job) {
  std::uint32_t index;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.job = std::move(job);
  heap_.emplace_back();
  sift_up(heap_.size() - 1, Entry{at, sequence_++, index});
  return (EventId{slot.generation} << 32) | index;
}

bool EventHeap::cancel(EventId event) {
  const auto index = static_cast<std::uint32_t>(event);
  const auto generation = static_cast<std::uint32_t>(event >> 32);
  if (index >= slots_.size() || slots_[index].generation != generation) return false;
  const std::size_t position = slots_[index].position;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    if (position > 0 && before(last, heap_[(position - 1) / kChildren])) {
      sift_up(position, last);
    } else {
      sift_down(position, last);
    }
  }
  const Job dropped = take(index);  // its captures end here, when the heap is whole again
  return true;
}

Job EventHeap::pop() {
  const std::uint32_t index = heap_.front().slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down(0, last);
  return take(index);
}

Job EventHeap::take(std::uint32_t index) {
  Slot& slot = slots_[index];
  // 0 is kept for "no event".
  if (++slot.generation == 0) slot.generation = 1;
  free_.push_back(index);
  return std::exchange(slot.job, Job());
}

void EventHeap::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = static_cast<std::uint32_t>(position);
}

void EventHeap::sift_up(std::size_t position, const Entry& entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / kChildren;
    if (!before(entry, heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void EventHeap::sift_down(std::size_t position, const Entry& entry) {
  for (;;) {
    const std::size_t first = position * kChildren + 1;
    if (first >= heap_.size()) break;
    const std::size_t end = std::min(first + kChildren, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (before(heap_[child], heap_[least])) least = child;
    }
    if (!before(heap_[least], entry)) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, entry);
}

}  // namespace postproof::sim::world
