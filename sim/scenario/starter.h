// The scenario that `postproof new` writes: commented, and passing as it stands.
#pragma once

#include <string_view>

namespace postproof::sim {

std::string_view starter_scenario();

}  // namespace postproof::sim
