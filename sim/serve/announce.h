// What the operator of an MTA under test must tell it, and what a served run has come to: for people, and as JSON.
#pragma once

#include <string>
#include <string_view>

#include "sim/run/run.h"
#include "sim/serve/place.h"

namespace postproof::sim {

// Several lines: where the resolver is, where each MTA is to listen, where its mail comes from and goes to. `ca_file` is
// where the certificate of the authority behind the peers' certificates was left; empty: nowhere.
std::string announcement_text(const PlacedScenario& placed, std::string_view ca_file);
// The same, and that certificate, as one object on one line: {"serve": FILE, "title", "resolver", "clients": [ADDRESS],
// "mtas": [{"name", "names", "listen"}], "peers": [{"name", "names", "listen": [ENDPOINT]}], "ca": PEM}.
std::string announcement_json(const PlacedScenario& placed, std::string_view ca);

// "ok   FILE   12s", or the report of what failed; and each expectation that could not be judged from outside.
std::string verdict_text(const RunResult& result);
// One object on one line: {"result": "passed" | "failed", "held", "failures": [{"line", "expectation", "wanted",
// "nearest"}], "unjudged": [{"line", "expectation", "why"}]}.
std::string verdict_json(const RunResult& result);

}  // namespace postproof::sim
