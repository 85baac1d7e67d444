// What the scheduler asks of delivery: lanes, and the settling of results.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "mta/env/task.h"
#include "mta/queue/message.h"
#include "mta/route/site.h"

namespace postproof::queue {

// The scheduler's unit: some recipients of one message, due together, for one site.
struct Leg {
  std::shared_ptr<const StoredMessage> message;
  std::vector<std::size_t> recipients;    // indexes in the envelope
  std::vector<std::uint32_t> attempts;    // number of this attempt for each of them, from 1
  std::shared_ptr<const route::Site> site;  // null when routing failed
  WallTime started{};
  Duration age{};  // of the message then, by the monotonic clock: steps of the wall clock do not age it
};

// Where a lane takes its legs from. Callable from any thread.
class LegSource {
 public:
  virtual ~LegSource() = default;
  // None: nothing is waiting for this site; the lane ends.
  virtual Task<std::optional<Leg>> next() = 0;
};

class Dispatcher {
 public:
  virtual ~Dispatcher() = default;
  // Holds one connection to the site and delivers legs over it until the source has none left, a limit
  // or trouble. Every leg that it took is settled when it returns.
  virtual Task<void> open_lane(std::shared_ptr<const route::Site> site, LegSource& source) = 0;
  // Results of a leg, one a recipient and in its order, become progress: delivered, waiting, bounced.
  virtual Task<void> settle(Leg leg, std::vector<AttemptResult> results) = 0;
};

}  // namespace postproof::queue
