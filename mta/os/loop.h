// The world on the operating system, for one thread: an event loop, and the Env whose ports it serves.
//
//   os::Workers workers;
//   os::Loop loop(events, workers);
//   Result<void> served = loop.run(mta.run());            // on this thread, to its end
//   os::LoopThread session(events, workers, "session-1"); // a loop on a thread of its own
//
// A Task runs on a loop as the argument of run(), or by hop() or a TaskGroup on its Env's executor.
//
// When a loop stops, every timer fires with alive = false, sockets close, and every pending and later call
// on the network yields Errc::closed; file operations still have their effect. run() returns when all
// coroutines have ended, which they do by themselves then.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "mta/env/env.h"
#include "mta/os/signals.h"
#include "mta/os/workers.h"

namespace postproof::os {

class Loop {
 public:
  Loop(EventSink& events, Workers& workers);
  // What was built on the Env is gone, and run() is not under way. Gives sockets that still linger their time.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Env& env();

  // On the calling thread, until stop() was called and everything has ended. Once.
  void run();
  // Runs the task as if spawned, stops the loop when it has ended, and returns its result. Once, as run().
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    run_task(keep(std::move(task), result));
    return std::move(*result);
  }
  void run(Task<void> task) { run_task(std::move(task)); }

  // From any thread, any number of times.
  void stop();

  // From now on; on the loop's thread. Called at most on one loop of a process.
  void on_signal(SignalHandler handler);

 private:
  template <class T>
  static Task<void> keep(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
  void run_task(Task<void> task);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A loop that runs on a thread of its own from the start. Its Env's ports are used on that thread only:
// get there by hop(env().executor, task).
class LoopThread {
 public:
  LoopThread(EventSink& events, Workers& workers, std::string name);  // the name is what ps shows, 15 octets
  ~LoopThread();                                                      // as join()

  Env& env() { return loop_.env(); }
  void stop() { loop_.stop(); }
  void join();  // stops, and waits for the end of all that runs there

 private:
  Loop loop_;
  std::thread thread_;
};

}  // namespace postproof::os
