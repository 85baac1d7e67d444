// Draws a whole scenario: a small internet, and mail for it.
#pragma once

#include "sim/explore/draw.h"
#include "sim/scenario/document.h"

namespace postproof::sim {

// One MTA or a chain of two, some mail servers for some domains, some messages. What comes of it loads.
document::Document draw_traffic(Draw& draw);

}  // namespace postproof::sim
