// Draws rules of peers: what mail servers do that is not what one hopes for.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sim/explore/draw.h"
#include "sim/explore/target.h"
#include "sim/scenario/document.h"

namespace postproof::sim {

// "rule.refuse", "rule.close", ...: what the rule does.
const std::vector<std::string_view>& rule_kinds();

document::Table draw_rule(std::string_view kind, const Target& target, Draw& draw);

}  // namespace postproof::sim
