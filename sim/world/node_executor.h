// Where a node's coroutines run: an Asio executor that never runs anything inline and never stops.
#pragma once

#include <utility>

#include <boost/asio/execution.hpp>

#include "sim/world/host.h"
#include "sim/world/life.h"

namespace postproof::sim::world {

class NodeExecutor {
 public:
  explicit NodeExecutor(Life& life) : life_(&life) {}

  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept {
    return life_->host().core.context;
  }
  static constexpr boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }
  template <class F>
  void execute(F&& f) const {
    life_->post(std::forward<F>(f));
  }
  bool operator==(const NodeExecutor&) const noexcept = default;

 private:
  Life* life_;
};

}  // namespace postproof::sim::world
