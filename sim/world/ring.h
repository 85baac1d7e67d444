// A first-in first-out queue in one block of memory that only grows. An empty one has no memory at all,
// which keeps worlds cheap to make; std::deque takes more than half a kilobyte each.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace postproof::sim::world {

template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& front() { return slots_[first_]; }
  T& back() { return (*this)[size_ - 1]; }
  T& operator[](std::size_t i) { return slots_[(first_ + i) & (slots_.size() - 1)]; }
  const T& operator[](std::size_t i) const { return slots_[(first_ + i) & (slots_.size() - 1)]; }

  void push(T item) {
    if (size_ == slots_.size()) grow();
    slots_[(first_ + size_) & (slots_.size() - 1)] = std::move(item);
    ++size_;
  }

  T pop() {
    T item = std::exchange(slots_[first_], T());
    first_ = (first_ + 1) & (slots_.size() - 1);
    --size_;
    return item;
  }

  void clear() {
    while (size_ > 0) pop();
  }

 private:
  void grow() {
    std::vector<T> larger(slots_.empty() ? kFirstSlots : slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    slots_ = std::move(larger);
    first_ = 0;
  }

  static constexpr std::size_t kFirstSlots = 4;  // always a power of two
  std::vector<T> slots_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace postproof::sim::world
