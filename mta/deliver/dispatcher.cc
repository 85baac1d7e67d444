#include "mta/deliver/dispatcher.h"

#include "mta/base/check.h"
#include "mta/env/hop.h"

namespace postproof::deliver {

namespace {

Task<void> run_lane(LaneContext& context, LaneHome& home, std::shared_ptr<const route::Site> site,
                    queue::LegSource& source, Settlement& settlement) {
  Lane lane(context, home, std::move(site));
  co_await lane.run(source, settlement);
}

Task<void> close_home(LaneHome& home) {
  home.closed = true;
  for (auto& [number, session] : home.sessions) session->close();
  co_return;
}

}  // namespace

LaneDispatcher::LaneDispatcher(LaneContext context, const std::vector<Env*>& envs) : context_(context) {
  PP_CHECK(!envs.empty(), "lanes need an Env");
  for (Env* env : envs) homes_.push_back(std::make_unique<LaneHome>(*env));
}

LaneDispatcher::~LaneDispatcher() = default;

Task<void> LaneDispatcher::open_lane(std::shared_ptr<const route::Site> site, queue::LegSource& source) {
  LaneHome& home = *homes_[next_++ % homes_.size()];
  co_await hop(home.env.executor, run_lane(context_, home, std::move(site), source, *settlement_));
}

Task<void> LaneDispatcher::settle(queue::Leg leg, std::vector<queue::AttemptResult> results) {
  co_await settlement_->settle(std::move(leg), std::move(results));
}

Task<void> LaneDispatcher::close() {
  for (const auto& home : homes_) co_await hop(home->env.executor, close_home(*home));
}

}  // namespace postproof::deliver
