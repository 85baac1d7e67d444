// The scheduler: which message is due, for which site, over how many lanes. It lives on the queue's Env.
//
// A message that is due is routed; its recipients are cut into legs, one a site; a site opens lanes
// (Dispatcher) as long as legs wait and its limit allows; lanes pull legs. Before the second and each
// later attempt is handed to a lane, its start has been recorded durably, so that a crash cannot hammer
// a peer (the commit itself stands for the first).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mta/env/env.h"
#include "mta/queue/dispatcher.h"
#include "mta/queue/retry.h"
#include "mta/queue/spool.h"
#include "mta/route/router.h"

namespace postproof::queue {

struct SchedulerSettings {
  RetrySettings retry;
  unsigned lanes_per_site_max = 20;
  unsigned lanes_max = 200;
  unsigned routing_max = 200;  // messages whose recipients are being looked up at once
};

// One line of a queue listing.
struct QueueEntry {
  QueuedMessage message;
  bool active = false;  // an attempt is under way
};

class Scheduler {
 public:
  Scheduler(Env& env, Spool& spool, route::Router& router, Dispatcher& dispatcher, SchedulerSettings settings);
  ~Scheduler();

  // Adopts what the spool has, then dispatches what is due until stop(). Run once.
  Task<void> run();
  // No new attempt starts; run() returns when the lanes have ended.
  void stop();

  // A message that has just been committed: due now, or when it is to be held no longer (RFC 4865). Callable from any
  // thread; does not wait.
  void add(std::shared_ptr<const StoredMessage> message);

  // What settling has decided, after it was recorded: pending recipients wait for their due time, the
  // others leave; a message without pending recipients leaves the queue. `succeeded`: at least one was
  // delivered, and everything that waits for this leg's site (see waits_for_site) becomes due now, each
  // recipient once between two waits that ran out by themselves. From any thread.
  Task<void> requeue(Leg leg, std::vector<Progress> progress, bool succeeded);

  // What waits for this domain, in lower case, and with `subdomains` for those below it, becomes due now. How many messages
  // have recipients there that are not done yet; none: nothing starts any more. From any thread.
  Task<std::optional<std::size_t>> start(std::string domain, bool subdomains);

  // When to try again, by the retry rules (see next_attempt); draws the jitter. The recipients of one leg
  // get one draw, so that they are due together again. From any thread.
  Task<std::optional<WallTime>> retry_at(std::shared_ptr<const StoredMessage> message, std::uint32_t attempts,
                                         WallTime started, Duration age);

  // The queue as it stands, by id. From any thread.
  Task<std::vector<QueueEntry>> list();
  // On the queue's own thread only:
  std::size_t size() const;  // messages
  bool idle() const;         // nothing is due, being routed, or on a lane; messages may wait for their time

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace postproof::queue
