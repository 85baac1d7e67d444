// A clause of a standard, as a scenario's `covers` cites it: "RFC5321#4.5.3.2", "RFC5321#C" for an appendix.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postproof::sim {

struct Clause {
  std::uint64_t rfc = 0;
  std::vector<std::string> section;  // "4", "5", "3", "2"; the first may be an appendix's letter

  // By document, then as a table of contents has them: 4.5.2 before 4.5.10, appendices last.
  std::strong_ordering operator<=>(const Clause& other) const;
  bool operator==(const Clause& other) const = default;
};

std::optional<Clause> parse_clause(std::string_view text);

}  // namespace postproof::sim
