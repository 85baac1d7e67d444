// Recordings that `postproof serve` has made: of real sockets, in real time.
#pragma once

#include <string_view>

#include "sim/recording/record.h"

namespace postproof::sim {

// The variant of a scenario that it is.
inline constexpr std::string_view kServedVariant = "serve";

inline bool was_served(const Recording& recording) { return recording.variant == kServedVariant; }

}  // namespace postproof::sim
