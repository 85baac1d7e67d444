#include "sim/scenario/clause.h"

#include <algorithm>

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

constexpr std::string_view kSeries = "RFC";

bool is_number(std::string_view text) { return parse_decimal(text).has_value() && text[0] != '0'; }

std::strong_ordering compare_parts(const std::string& a, const std::string& b) {
  const auto left = parse_decimal(a);
  const auto right = parse_decimal(b);
  if (left && right) return *left <=> *right;
  if (left || right) return left ? std::strong_ordering::less : std::strong_ordering::greater;
  return a <=> b;
}

}  // namespace

std::strong_ordering Clause::operator<=>(const Clause& other) const {
  if (const auto order = rfc <=> other.rfc; order != 0) return order;
  return std::lexicographical_compare_three_way(section.begin(), section.end(), other.section.begin(), other.section.end(),
                                                compare_parts);
}

std::optional<Clause> parse_clause(std::string_view text) {
  const auto hash = text.find('#');
  if (!text.starts_with(kSeries) || hash == std::string_view::npos) return std::nullopt;
  const std::string_view number = text.substr(kSeries.size(), hash - kSeries.size());
  if (!is_number(number)) return std::nullopt;

  Clause clause;
  clause.rfc = *parse_decimal(number);
  for (const std::string_view part : split(text.substr(hash + 1), '.')) {
    const bool appendix = clause.section.empty() && part.size() == 1 && part[0] >= 'A' && part[0] <= 'Z';
    if (!appendix && !is_number(part)) return std::nullopt;
    clause.section.emplace_back(part);
  }
  return clause;
}

}  // namespace postproof::sim
