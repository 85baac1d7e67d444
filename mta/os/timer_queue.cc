#include "mta/os/timer_queue.h"

#include <utility>

namespace postproof::os {

namespace {

// The low half counts slots from 1, so that no id is 0.
Clock::TimerId id_of(std::uint32_t slot, std::uint32_t generation) {
  return (Clock::TimerId{generation} << 32) | (Clock::TimerId{slot} + 1);
}

}  // namespace

Clock::TimerId TimerQueue::add(MonoTime when, Clock::Callback callback) {
  std::uint32_t number;
  if (free_.empty()) {
    number = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[number];
  slot.when = when;
  slot.sequence = sequence_++;
  slot.used = true;
  slot.callback = std::move(callback);
  heap_.push_back(number);
  slot.place = static_cast<std::uint32_t>(heap_.size() - 1);
  rise(slot.place);
  return id_of(number, slot.generation);
}

bool TimerQueue::remove(Clock::TimerId timer) {
  const std::uint64_t low = timer & 0xFFFFFFFF;
  if (low == 0 || low > slots_.size()) return false;
  const auto number = static_cast<std::uint32_t>(low - 1);
  const Slot& slot = slots_[number];
  if (!slot.used || slot.generation != static_cast<std::uint32_t>(timer >> 32)) return false;
  // The callback's own destructor may call back into this queue: it runs when all is in place again.
  const Clock::Callback dropped = take(number);
  return true;
}

MonoTime TimerQueue::next() const { return heap_.empty() ? kNever : slots_[heap_.front()].when; }

std::optional<Clock::Callback> TimerQueue::take_due(MonoTime now, std::uint64_t mark) {
  if (heap_.empty()) return std::nullopt;
  const Slot& soonest = slots_[heap_.front()];
  if (soonest.when > now || soonest.sequence >= mark) return std::nullopt;
  return take(heap_.front());
}

bool TimerQueue::before(std::uint32_t a, std::uint32_t b) const {
  const Slot& left = slots_[a];
  const Slot& right = slots_[b];
  return left.when != right.when ? left.when < right.when : left.sequence < right.sequence;
}

void TimerQueue::put(std::uint32_t slot, std::size_t place) {
  heap_[place] = slot;
  slots_[slot].place = static_cast<std::uint32_t>(place);
}

void TimerQueue::rise(std::size_t place) {
  const std::uint32_t slot = heap_[place];
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!before(slot, heap_[parent])) break;
    put(heap_[parent], place);
    place = parent;
  }
  put(slot, place);
}

void TimerQueue::sink(std::size_t place) {
  const std::uint32_t slot = heap_[place];
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], slot)) break;
    put(heap_[child], place);
    place = child;
  }
  put(slot, place);
}

Clock::Callback TimerQueue::take(std::uint32_t number) {
  Slot& slot = slots_[number];
  const std::size_t place = slot.place;
  const std::uint32_t last = heap_.back();
  heap_.pop_back();
  if (last != number) {
    put(last, place);
    rise(place);
    sink(slots_[last].place);
  }
  slot.used = false;
  ++slot.generation;
  free_.push_back(number);
  return std::exchange(slot.callback, nullptr);
}

}  // namespace postproof::os
