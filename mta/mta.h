// The mail transfer agent, assembled: everything between its listeners and its lanes.
//
// Built from one Env for the queue and one or more for sessions; in a simulation, and with
// session_threads = 0, all of them are the same.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "mta/config.h"
#include "mta/env/env.h"
#include "mta/queue/scheduler.h"

namespace postproof {

class Mta {
 public:
  // `sessions` must not be empty; config.resolver.servers must be set. All Envs outlive the Mta.
  Mta(Config config, Env& queue, std::vector<Env*> sessions);
  ~Mta();

  // Opens the spool, recovers, listens, serves until stop(). Run once, on the queue's executor. An error
  // means that it did not come up: a spool that is in use or of another version, a port that is taken.
  // `ready`, if given, is called once when it is up: the spool is ours and every listener stands.
  Task<Result<void>> run(std::function<void()> ready = {});

  // Ends in order: listeners close, sessions get 421, attempts under way end. On the queue's thread.
  void stop();

  // Reads our server's certificate and key anew, for sessions that begin TLS from now on; an event tells what has come of
  // it. Where that fails, those of before stand. On the queue's thread, any number of times.
  void reload();

  // The queue as it stands; from any thread while run() is under way.
  Task<std::vector<queue::QueueEntry>> queue();
  // Nothing is under way: no session, no attempt, no write (queue's thread; for the simulation's end).
  bool idle() const;
  std::size_t queue_size() const;  // messages (queue's thread)

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postproof
