#include "mta/os/shared_sockets.h"

#include <fcntl.h>

#include <algorithm>

namespace postproof::os {

void SharedSockets::add(const Endpoint& at, int descriptor, const void* loop) {
  const std::lock_guard lock(mutex_);
  Shared& shared = sockets_[at];
  if (shared.descriptor < 0) shared.descriptor = descriptor;
  shared.loops.push_back(loop);
}

void SharedSockets::remove(const Endpoint& at, int descriptor, const void* loop) {
  const std::lock_guard lock(mutex_);
  const auto found = sockets_.find(at);
  if (found == sockets_.end()) return;
  std::erase(found->second.loops, loop);
  if (found->second.descriptor == descriptor || found->second.loops.empty()) sockets_.erase(found);
}

int SharedSockets::copy(const Endpoint& at, const void* loop) const {
  const std::lock_guard lock(mutex_);
  const auto found = sockets_.find(at);
  if (found == sockets_.end() || std::ranges::find(found->second.loops, loop) != found->second.loops.end()) return -1;
  return fcntl(found->second.descriptor, F_DUPFD_CLOEXEC, 3);
}

}  // namespace postproof::os
