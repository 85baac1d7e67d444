// A listening socket: connections wait here, opened, until the program accepts them. Behind a full
// backlog SYNs wait for room, as their openers repeat them on a real network.
#pragma once

#include <memory>

#include "mta/env/stream.h"
#include "mta/env/wakeup.h"
#include "sim/world/connection.h"
#include "sim/world/life.h"

namespace postproof::sim::world {

inline constexpr std::size_t kBacklog = 128;  // half open and waiting to be accepted, together

// Shared by the Listener, the node's table of ports and the connections that are half open.
class ListenerState {
 public:
  ListenerState(Life& life, Endpoint local) : life_(life), local_(std::move(local)), arrived_(life.env()) {}

  Life& life() { return life_; }
  const Endpoint& local() const { return local_; }
  bool closed() const { return closed_; }

  bool has_room() const { return half_open_ + ready_.size() < kBacklog; }
  void wait_for_room(std::shared_ptr<Connection> connection) { waiting_.push(std::move(connection)); }
  void half_open() { ++half_open_; }
  void half_open_ended();  // without having opened
  // False: nobody listens any more.
  bool opened(std::shared_ptr<Connection> connection);

  bool has_ready() const { return !ready_.empty(); }
  std::shared_ptr<Connection> take();  // none: nothing is ready
  Wakeup& arrived() { return arrived_; }
  void close();  // cuts what was not accepted, refuses what waited

 private:
  void admit();

  Life& life_;
  const Endpoint local_;
  bool closed_ = false;
  std::size_t half_open_ = 0;
  Ring<std::shared_ptr<Connection>> ready_;
  Ring<std::shared_ptr<Connection>> waiting_;
  Wakeup arrived_;
};

class SimListener final : public Listener {
 public:
  explicit SimListener(std::shared_ptr<ListenerState> state) : descriptor_(state->life()), state_(std::move(state)) {}
  ~SimListener() override { close(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override;
  void close() noexcept override;
  const Endpoint& local() const override { return state_->local(); }

 private:
  const Life::Descriptor descriptor_;
  std::shared_ptr<ListenerState> state_;
};

}  // namespace postproof::sim::world
