// Virtual time and what happens in it: a heap of events for later, and a queue of jobs for now. Time
// moves on only when the queue is empty. Jobs of all nodes share the queue, first come first served.
#pragma once

#include <cstdint>
#include <vector>

#include <boost/asio/detail/thread_context.hpp>
#include <boost/asio/detail/thread_info_base.hpp>

#include "mta/base/time.h"
#include "sim/world/event_heap.h"
#include "sim/world/ring.h"

namespace postproof::sim::world {

class Life;

// Memory that Asio takes for coroutine frames and posted functions is recycled while one of these lives
// on the stack, as it is within an io_context; without it each costs a malloc.
class RecycledMemory : private boost::asio::detail::thread_context {
 public:
  explicit RecycledMemory(boost::asio::detail::thread_info_base& memory) : context_(this, memory) {}

 private:
  thread_call_stack::context context_;
};

class Loop {
 public:
  Duration now() const { return now_; }
  std::uint64_t events_run() const { return events_run_; }

  // An event; never in the past: such a one happens as soon as it can.
  EventId at(Duration when, Job job) { return heap_.add(when < now_ ? now_ : when, std::move(job)); }
  bool cancel(EventId event) { return heap_.cancel(event); }

  // A job of a node, behind those that wait already.
  void post(Life& life, Job job) { queue_.push(Queued{&life, std::move(job)}); }
  // Takes a node's jobs out of the queue, in their order.
  Ring<Job> take_jobs(const Life& life);

  // As soon as what is being worked on has ended; before anything else happens.
  void after_this_event(Job action) { after_.push(std::move(action)); }

  // Runs one thing that is due at this moment; false when there is none.
  bool run_one();
  bool has_now() const { return !after_.empty() || !queue_.empty() || (has_next() && next_time() <= now_); }
  bool has_next() const { return !heap_.empty(); }
  Duration next_time() const { return heap_.next_time(); }
  void move_time_to(Duration when) { now_ = when; }
  // Nothing of it will happen: the world ends.
  void drop_everything();

  // Runs jobs that no node's queue holds (the end of a crashed node's coroutines).
  void run(Job& job);

  // Whether a node's own code may be on the stack: then nothing may cut that node off.
  bool in_node_code() const { return in_node_code_; }
  // For the world's own actions, which run between the events of the nodes.
  void run_between_events(Job& action);

  boost::asio::detail::thread_info_base& memory() { return memory_; }

 private:
  struct Queued {
    Life* life = nullptr;
    Job job;
  };

  boost::asio::detail::thread_info_base memory_;
  Duration now_{0};
  std::uint64_t events_run_ = 0;
  bool in_node_code_ = false;
  EventHeap heap_;
  Ring<Queued> queue_;
  Ring<Job> after_;
};

}  // namespace postproof::sim::world
