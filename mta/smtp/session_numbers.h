// Numbers of sessions, incoming and outgoing, as events name them: from 1, unique within a process.
#pragma once

#include <atomic>
#include <cstdint>

namespace postproof::smtp {

// Shared by all listeners and lanes of an MTA, from any thread.
class SessionNumbers {
 public:
  std::uint64_t next() { return last_.fetch_add(1, std::memory_order_relaxed) + 1; }

 private:
  std::atomic<std::uint64_t> last_ = 0;
};

}  // namespace postproof::smtp
