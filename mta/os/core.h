// What the ports of one event loop share.
#pragma once

#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <list>

#include "mta/os/workers.h"

namespace postproof::os {

using LoopExecutor = boost::asio::io_context::executor_type;
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;

// Something that waits on the loop, and has to end when the loop stops: sockets, signals.
class Waiting {
 public:
  // Ends its pending calls with Errc::closed; runs nobody's code inline.
  virtual void end() noexcept = 0;

 protected:
  ~Waiting() = default;
};

struct Core {
  explicit Core(Workers& shared_workers) : workers(shared_workers) {}

  bool stopping = false;
  std::list<Waiting*> waiting;
  std::array<char, 16 * 1024> scratch;  // for octets that nobody will look at
  Workers& workers;
  // The hint: only one thread runs this loop; others may post to it.
  boost::asio::io_context context{1};
};

// Keeps a Waiting on the list as long as it lives.
class Registration {
 public:
  Registration(Core& core, Waiting* waiting) : core_(core), place_(core.waiting.insert(core.waiting.end(), waiting)) {}
  ~Registration() { core_.waiting.erase(place_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  Core& core_;
  std::list<Waiting*>::iterator place_;
};

// Puts the caller at the end of the loop's queue: no port call completes inline.
Task<void> through_executor();

}  // namespace postproof::os
