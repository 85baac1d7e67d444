#include "sim/world/loop.h"

#include <utility>

namespace postproof::sim::world {

namespace {

// Sets a flag for a scope, and puts it back when an exception (a failed test) passes too.
class Flagged {
 public:
  Flagged(bool& flag, bool value) : flag_(flag), before_(std::exchange(flag, value)) {}
  ~Flagged() { flag_ = before_; }
  Flagged(const Flagged&) = delete;
  Flagged& operator=(const Flagged&) = delete;

 private:
  bool& flag_;
  bool before_;
};

}  // namespace

Ring<Job> Loop::take_jobs(const Life& life) {
  Ring<Job> taken;
  Ring<Queued> others;
  while (!queue_.empty()) {
    Queued queued = queue_.pop();
    if (queued.life == &life) {
      taken.push(std::move(queued.job));
    } else {
      others.push(std::move(queued));
    }
  }
  queue_ = std::move(others);
  return taken;
}

bool Loop::run_one() {
  if (!after_.empty()) {
    Job action = after_.pop();
    run_between_events(action);
    return true;
  }
  Job job;
  if (!queue_.empty()) {
    job = queue_.pop().job;
  } else if (!heap_.empty() && heap_.next_time() <= now_) {
    job = heap_.pop();
  } else {
    return false;
  }
  run(job);
  return true;
}

void Loop::drop_everything() {
  while (!heap_.empty()) heap_.pop();
  queue_.clear();
  after_.clear();
}

void Loop::run(Job& job) {
  const Flagged flagged(in_node_code_, true);
  ++events_run_;
  job();
}

void Loop::run_between_events(Job& action) {
  const Flagged flagged(in_node_code_, false);
  action();
}

}  // namespace postproof::sim::world
