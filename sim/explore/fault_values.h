// A value for a key of a fault.
#pragma once

#include <optional>
#include <string_view>

#include "sim/explore/draw.h"
#include "sim/explore/target.h"
#include "sim/scenario/document.h"
#include "sim/scenario/fault_kinds.h"

namespace postproof::sim {

bool can_draw(std::string_view kind, std::string_view key);

// None: no value comes to mind, as `host` in a scenario without the host that this kind is for.
std::optional<document::Value> draw_value(const FaultKind& kind, const FaultKey& key, const Target& target, Draw& draw);

}  // namespace postproof::sim
