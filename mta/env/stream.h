// A connection's two directions of octets, and what listens for connections.
//
// Contracts that every world keeps (tests/env runs one suite against all of them):
//  - Octets arrive in order, exactly once, in pieces of any size.
//  - At most one reader and one writer wait at a time.
//  - No call completes inline: each goes through the executor at least once.
//  - A call that its deadline ends yields Errc::timed_out. A read that timed out has taken nothing and may
//    be repeated; after a write that timed out the stream is useless and is to be closed.
//  - reset() or the peer's RST ends waiting and later calls with Errc::reset; close() with Errc::closed. A
//    stream that was reset stays so when it is closed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "mta/base/endpoint.h"
#include "mta/base/result.h"
#include "mta/base/time.h"
#include "mta/env/task.h"

namespace postproof {

class Stream {
 public:
  // As close().
  virtual ~Stream() = default;

  // At least one octet, or 0 when the peer has ended its direction (FIN). `into` must not be empty.
  virtual Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline) = 0;

  // All of it, as far as the local side can tell. `octets` must live until the call ends.
  virtual Task<Result<void>> write_all(std::string_view octets, Deadline deadline) = 0;

  // Ends our direction (FIN) behind everything written; reading goes on.
  virtual void shutdown_send() = 0;

  // Cuts both directions at once (RST): what was written may be lost.
  virtual void reset() = 0;

  // Ends everything; what was written is still delivered. Waiting calls end with Errc::closed.
  virtual void close() noexcept = 0;

  virtual const Endpoint& local() const = 0;
  virtual const Endpoint& peer() const = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;

  // The next connection. Errc::closed after close(); any other error is passing (out of descriptors).
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
  virtual void close() noexcept = 0;
  // The endpoint in force: port 0 has become the port that was given.
  virtual const Endpoint& local() const = 0;
};

}  // namespace postproof
