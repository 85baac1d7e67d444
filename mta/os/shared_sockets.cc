#include "mta/os/shared_sockets.h"

#include <fcntl.h>

namespace postproof::os {

void SharedSockets::add(const Endpoint& at, int descriptor) {
  const std::lock_guard lock(mutex_);
  descriptors_.try_emplace(at, descriptor);
}

void SharedSockets::remove(const Endpoint& at, int descriptor) {
  const std::lock_guard lock(mutex_);
  const auto found = descriptors_.find(at);
  if (found != descriptors_.end() && found->second == descriptor) descriptors_.erase(found);
}

int SharedSockets::copy(const Endpoint& at) const {
  const std::lock_guard lock(mutex_);
  const auto found = descriptors_.find(at);
  return found == descriptors_.end() ? -1 : fcntl(found->second, F_DUPFD_CLOEXEC, 3);
}

}  // namespace postproof::os
