// The signals that a service is told its master's will by.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "mta/os/core.h"

namespace postproof::os {

enum class Signal : std::uint8_t {
  terminate,  // SIGTERM, SIGINT: end in order
  reload,     // SIGHUP
};
using SignalHandler = std::function<void(Signal)>;

// Calls the handler on the loop, once a signal, until the loop stops. At most one loop of a process.
void handle_signals(Core& core, SignalHandler handler);

// A peer that goes away while we write is an error of the write, not the end of the process.
void ignore_broken_pipes();

}  // namespace postproof::os
