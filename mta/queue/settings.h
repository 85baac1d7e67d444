// What an operator may set of the spool.
#pragma once

#include <cstdint>
#include <string>

#include "mta/base/time.h"

namespace postproof::queue {

struct SpoolSettings {
  std::string directory;
  std::uint16_t node = 1;                              // 1 to 65535: first 16 bits of every queue id
  std::uint64_t segment_size = 16 * 1024 * 1024;       // of the journal, zero-filled ahead
  Duration sync_delay_max = std::chrono::milliseconds{20};  // of what is not awaited
  std::uint64_t free_min = 64 * 1024 * 1024;           // with less free space new mail is refused: 452 4.3.1
};

}  // namespace postproof::queue
