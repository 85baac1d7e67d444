// Names of the variants of a scenario, and which of them --only asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.h"

namespace postproof::sim {

// "ip=v6 segment=1 pipelining=true"; empty for the only variant of a scenario.
std::string variant_name(const std::vector<VariantValue>& variant);

// Whether `only` asks for this variant: by its name, by its values in order ("v6,1,true"), or by some of its
// axes ("ip=v6 segment=1").
bool asks_for(std::string_view only, const std::vector<VariantValue>& variant);

// The number at the end of `only`: what it says of the last axis, if that is a number; none: it says none.
std::optional<std::uint64_t> last_number(std::string_view only);

}  // namespace postproof::sim
