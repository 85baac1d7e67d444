#include "mta/os/log_output.h"

#include <climits>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

namespace postproof::os {

void LogOutput::write(std::string_view line) {
  flush();
  if (!waiting_.empty()) {
    if (waiting_.size() + line.size() > kWaitingMax) {
      ++dropped_;
    } else {
      waiting_ += line;
    }
    return;
  }
  waiting_ = write_some(line);
}

void LogOutput::flush() {
  if (!waiting_.empty()) waiting_.erase(0, waiting_.size() - write_some(waiting_).size());
  if (waiting_.empty() && dropped_ > 0) waiting_ = write_some(lost_(std::exchange(dropped_, 0)));
}

// What is left to write. A descriptor that poll() calls writable takes PIPE_BUF octets without waiting.
std::string_view LogOutput::write_some(std::string_view octets) {
  while (!octets.empty()) {
    pollfd ready{descriptor_, POLLOUT, 0};
    if (poll(&ready, 1, 0) <= 0) return octets;
    const ssize_t size = ::write(descriptor_, octets.data(), std::min<std::size_t>(octets.size(), PIPE_BUF));
    // A log that cannot be written (its reader is gone, its disk is full) is no reason to stop handling mail.
    if (size < 0) return {};
    octets.remove_prefix(static_cast<std::size_t>(size));
  }
  return octets;
}

}  // namespace postproof::os
