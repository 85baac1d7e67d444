// Virtual time as reports and views write it.
#pragma once

#include <string>

#include "mta/base/time.h"

namespace postproof::sim {

// "15m30.060s": cut to milliseconds.
std::string view_time(Duration at);

}  // namespace postproof::sim
