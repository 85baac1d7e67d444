// Connections: TCP over IPv4 and IPv6, and Unix stream sockets.
//
// close() keeps what was written on its way: a plain close of the descriptor with unread octets before it,
// or with octets that arrive after it, makes the kernel send RST, and the peer then loses what it has not
// read yet (a 421, a 221). So our direction is ended by FIN, and what still comes is read and dropped
// until the peer's FIN, for kLinger at most.
//
// reset() on a Unix socket is a plain close: such a socket has no RST.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>

#include "mta/env/stream.h"
#include "mta/os/core.h"
#include "mta/os/socket.h"

namespace postproof::os {

inline constexpr Duration kLinger = 2s;
inline constexpr Duration kLingerAtStop = 500ms;  // once the loop stops

class StreamSocket final
    : public Socket<boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, LoopExecutor>> {
 public:
  // Takes a stream socket that is connected already, or will be by connect(). May fail for want of memory
  // or descriptors of the kernel's; the descriptor is closed then.
  static Result<std::shared_ptr<StreamSocket>> adopt(Core& core, int descriptor, int family);
  explicit StreamSocket(Core& core) : Socket(core) {}

  // Each keeps `self` alive until it has ended.
  static Task<Result<void>> connect(std::shared_ptr<StreamSocket> self, Endpoint to, Deadline deadline);
  static Task<Result<std::size_t>> read_some(std::shared_ptr<StreamSocket> self, std::span<char> into,
                                             Deadline deadline);
  static Task<Result<void>> write_all(std::shared_ptr<StreamSocket> self, std::string_view octets, Deadline deadline);
  void shutdown_send();
  void reset();
  void close() noexcept;
  void abandon();  // one that never was connected
  void end() noexcept override;

  Endpoint local;
  Endpoint peer;

 private:
  void linger();
  void drain();

  bool finished_ = false;  // the peer's FIN has been read
  bool lingering_ = false;
};

// The port over it.
std::unique_ptr<Stream> make_stream(std::shared_ptr<StreamSocket> socket);

}  // namespace postproof::os
