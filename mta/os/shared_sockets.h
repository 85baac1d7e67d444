// The listening sockets of a process, so that several loops may listen at one endpoint: the second one
// takes connections from the first one's socket. The same loop and other processes are told that the
// address is in use.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "mta/base/endpoint.h"

namespace postproof::os {

class SharedSockets {
 public:
  // `loop` only tells one loop from another.
  void add(const Endpoint& at, int descriptor, const void* loop);
  void remove(const Endpoint& at, int descriptor, const void* loop);
  // A copy of the descriptor by which another loop listens there, or -1.
  int copy(const Endpoint& at, const void* loop) const;

 private:
  mutable std::mutex mutex_;
  struct Shared {
    int descriptor = -1;
    std::vector<const void*> loops;
  };
  std::map<Endpoint, Shared> sockets_;
};

}  // namespace postproof::os
