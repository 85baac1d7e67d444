// The listening sockets of a process, so that several loops may listen at one endpoint: the second one
// takes connections from the first one's socket. Another process is still told that the address is in use.
#pragma once

#include <map>
#include <mutex>

#include "mta/base/endpoint.h"

namespace postproof::os {

class SharedSockets {
 public:
  void add(const Endpoint& at, int descriptor);
  void remove(const Endpoint& at, int descriptor);  // only if it stands for this descriptor
  // A copy of the descriptor that listens there, or -1.
  int copy(const Endpoint& at) const;

 private:
  mutable std::mutex mutex_;
  std::map<Endpoint, int> descriptors_;
};

}  // namespace postproof::os
