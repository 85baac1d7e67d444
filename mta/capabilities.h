// What this MTA can do, in the words in which scenarios say what they need (docs/scenarios.md, "needs"): an MTA that
// lacks a capability is not tried with scenarios about it.
#pragma once

#include <string_view>
#include <vector>

namespace postproof {

// Every word that there is, for this MTA or another.
const std::vector<std::string_view>& all_capabilities();
bool is_capability(std::string_view word);

// Whether postproof-mta can do it. SMTP keywords are here exactly when its server offers them.
bool has_capability(std::string_view word);

}  // namespace postproof
