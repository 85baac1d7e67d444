// A datagram socket of a node.
#pragma once

#include <memory>
#include <string>

#include "mta/env/network.h"
#include "mta/env/wakeup.h"
#include "sim/world/life.h"

namespace postproof::sim::world {

inline constexpr std::size_t kDatagramsWaiting = 256;  // received and not read; what comes behind is lost

// Shared by the socket, the node's table of ports and the calls that wait.
class DatagramState {
 public:
  DatagramState(Life& life, Endpoint local) : life_(life), local_(std::move(local)), arrived_(life.env()) {}

  struct Waiting {
    Endpoint from;
    std::string octets;
  };

  Life& life() { return life_; }
  const Endpoint& local() const { return local_; }
  bool closed() const { return closed_; }
  Ring<Waiting>& waiting() { return waiting_; }
  Wakeup& arrived() { return arrived_; }
  bool& receiving() { return receiving_; }
  bool arrive(Waiting datagram);  // false: no room
  void close();

 private:
  Life& life_;
  const Endpoint local_;
  bool closed_ = false;
  bool receiving_ = false;
  Ring<Waiting> waiting_;
  Wakeup arrived_;
};

class SimDatagram final : public Datagram {
 public:
  explicit SimDatagram(std::shared_ptr<DatagramState> state) : descriptor_(state->life()), state_(std::move(state)) {}
  ~SimDatagram() override { close(); }

  Task<Result<void>> send_to(std::string_view octets, Endpoint to, Deadline deadline) override;
  Task<Result<Received>> receive(std::span<char> into, Deadline deadline) override;
  void close() noexcept override { state_->close(); }
  const Endpoint& local() const override { return state_->local(); }

 private:
  const Life::Descriptor descriptor_;
  std::shared_ptr<DatagramState> state_;
};

}  // namespace postproof::sim::world
