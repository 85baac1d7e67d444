// What the operator of an MTA under test must tell it, and what a served run has come to: for people, and as JSON.
#pragma once

#include <string>

#include "sim/run/run.h"
#include "sim/serve/place.h"

namespace postproof::sim {

// Several lines: where the resolver is, where each MTA is to listen, where its mail comes from and goes to.
std::string announcement_text(const PlacedScenario& placed);
// The same as one object on one line: {"serve": FILE, "title", "resolver", "clients": [ADDRESS], "mtas": [{"name",
// "names", "listen"}], "peers": [{"name", "names", "listen": [ENDPOINT]}]}.
std::string announcement_json(const PlacedScenario& placed);

// "ok   FILE   12s", or the report of what failed; and each expectation that could not be judged from outside.
std::string verdict_text(const RunResult& result);
// One object on one line: {"result": "passed" | "failed", "held", "failures": [{"line", "expectation", "wanted",
// "nearest"}], "unjudged": [{"line", "expectation", "why"}]}.
std::string verdict_json(const RunResult& result);

}  // namespace postproof::sim
