// One side of a connection as the program sees it.
#pragma once

#include <memory>
#include <string>

#include "mta/env/stream.h"
#include "sim/world/connection.h"

namespace postproof::sim::world {

class SimStream final : public Stream {
 public:
  SimStream(Life& life, std::shared_ptr<Connection> connection, Side side)
      : life_(life), descriptor_(life), connection_(std::move(connection)), side_(side) {}
  ~SimStream() override { close(); }

  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline) override;
  Task<Result<void>> write_all(std::string_view octets, Deadline deadline) override;
  void shutdown_send() override;
  void reset() override;
  void close() noexcept override;
  const Endpoint& local() const override { return connection_->endpoint(side_); }
  const Endpoint& peer() const override { return connection_->endpoint(other(side_)); }

 private:
  Life& life_;
  const Life::Descriptor descriptor_;
  std::shared_ptr<Connection> connection_;
  Side side_;
};

}  // namespace postproof::sim::world
