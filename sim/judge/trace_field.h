// The clauses of a Received field (RFC 5321 section 4.4), as the judge reads them.
#pragma once

#include <string>
#include <string_view>

namespace postproof::sim {

// Each with the comments behind it, as it stands: "client.example ([192.0.2.1])"; empty: the field has none.
struct TraceField {
  std::string from, by, via, with, id, for_;
};

// `value`: what follows "Received:", unfolded.
TraceField read_trace_field(std::string_view value);

// Over the whole clause, or over its first word without angle brackets; without regard to case. No pattern but the
// empty one fits a clause that is not there.
bool clause_matches(std::string_view pattern, std::string_view clause);

}  // namespace postproof::sim
