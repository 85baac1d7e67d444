// Owns coroutines: whoever spawns one keeps it in a group, and joins the group before it dies.
#pragma once

#include <cstddef>
#include <functional>

#include "mta/env/task.h"

namespace postproof {

class TaskGroup {
 public:
  explicit TaskGroup(Executor executor) : executor_(std::move(executor)) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();  // must be empty

  // Starts the task on the group's executor, never inline. A task that throws is a broken invariant.
  void spawn(Task<void> task);
  std::size_t size() const { return running_; }
  // Returns when no task of the group runs any more. One joiner at a time.
  Task<void> join();

 private:
  Executor executor_;
  std::size_t running_ = 0;
  std::move_only_function<void()> joiner_;
};

}  // namespace postproof
