// Gives the scheduler its lanes, spread over the session Envs.
#pragma once

#include <memory>
#include <vector>

#include "mta/deliver/lane.h"

namespace postproof::deliver {

class LaneDispatcher final : public queue::Dispatcher {
 public:
  // `envs`: where lanes run, in turn; at least one.
  LaneDispatcher(LaneContext context, const std::vector<Env*>& envs);
  ~LaneDispatcher() override;

  // Before the first lane: the settlement needs the scheduler, which needs this.
  void settle_with(Settlement& settlement) { settlement_ = &settlement; }

  Task<void> open_lane(std::shared_ptr<const route::Site> site, queue::LegSource& source) override;
  Task<void> settle(queue::Leg leg, std::vector<queue::AttemptResult> results) override;

  // Cuts every connection: attempts under way end as Errc::closed and stay in the queue as they are.
  Task<void> close();

 private:
  LaneContext context_;
  std::vector<std::unique_ptr<LaneHome>> homes_;
  std::size_t next_ = 0;
  Settlement* settlement_ = nullptr;
};

}  // namespace postproof::deliver
