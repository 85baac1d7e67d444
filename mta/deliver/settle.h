// Settling: the results of an attempt become progress. Each recipient is delivered, waits for its next
// attempt, or has failed. What the sender wants to know of it (RFC 3461) stands in a report, which is stored with that
// progress as one record.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mta/deliver/settings.h"
#include "mta/env/env.h"
#include "mta/mail/dsn.h"
#include "mta/queue/dispatcher.h"
#include "mta/queue/scheduler.h"
#include "mta/queue/spool.h"

namespace postproof::deliver {

class Settlement {
 public:
  // On the queue's Env.
  Settlement(Env& env, queue::Spool& spool, queue::Scheduler& scheduler, const Settings& settings)
      : env_(env), spool_(spool), scheduler_(scheduler), settings_(settings) {}

  // One result a recipient, in the leg's order. From any thread. A result of Errc::closed means that we
  // went down in the middle: nothing is recorded, and the attempt's start, which was, decides what is next.
  Task<void> settle(queue::Leg leg, std::vector<queue::AttemptResult> results);

 private:
  Task<void> settle_here(queue::Leg leg, std::vector<queue::AttemptResult> results);
  // What becomes of one recipient; emits its event.
  Task<queue::Progress> decide(const queue::Leg& leg, std::size_t index, queue::AttemptResult result);
  // None: the sender is told nothing of it.
  Task<std::optional<queue::OwnMessage>> report_on(const queue::Leg& leg, const std::vector<queue::Progress>& progress);
  Task<void> read_returned(const queue::StoredMessage& message, bool whole, DeliveryReport& report);

  Env& env_;
  queue::Spool& spool_;
  queue::Scheduler& scheduler_;
  const Settings& settings_;
};

}  // namespace postproof::deliver
