// The network of the world.
#pragma once

#include <memory>
#include <optional>

#include "mta/env/stream.h"

namespace postproof {

class Datagram {
 public:
  struct Received {
    std::size_t size = 0;
    Endpoint from;
  };
  virtual ~Datagram() = default;

  // May be lost without a word.
  virtual Task<Result<void>> send_to(std::string_view octets, Endpoint to, Deadline deadline) = 0;
  // One datagram; what does not fit in `into` is cut off.
  virtual Task<Result<Received>> receive(std::span<char> into, Deadline deadline) = 0;
  virtual void close() noexcept = 0;
  virtual const Endpoint& local() const = 0;
};

class Network {
 public:
  virtual ~Network() = default;

  // `from`: the local address to use, if it matters. Errors: refused, unreachable, timed_out, closed,
  // permission, and io for what the operating system says beyond that.
  virtual Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to, std::optional<IpAddress> from,
                                                        Deadline deadline) = 0;

  // Accepts from now on. Several Envs of one process may listen at one endpoint: each connection comes to
  // one of them. Errors: in_use (this Env or another process listens there), permission, invalid (no such
  // local address).
  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& at) = 0;

  // Port 0: any free port, drawn at random.
  virtual Result<std::unique_ptr<Datagram>> open_datagram(const Endpoint& local) = 0;
};

}  // namespace postproof
