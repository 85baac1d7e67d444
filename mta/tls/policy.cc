#include "mta/tls/policy.h"

#include <algorithm>
#include <array>
#include <utility>

namespace postproof::tls {

namespace {

constexpr std::array kWords{std::pair{Level::none, "none"}, std::pair{Level::may, "may"},
                            std::pair{Level::require, "require"}, std::pair{Level::verify, "verify"}};

bool fits(std::string_view pattern, std::string_view domain) {
  if (!pattern.starts_with("*.")) return pattern == domain;
  const std::string_view parent = pattern.substr(1);
  return domain.size() > parent.size() && domain.ends_with(parent);
}

}  // namespace

std::string_view to_string(Level level) {
  return std::ranges::find(kWords, level, [](const auto& one) { return one.first; })->second;
}

std::optional<Level> parse_level(std::string_view word) {
  const auto known = std::ranges::find_if(kWords, [&](const auto& one) { return word == one.second; });
  if (known == kWords.end()) return std::nullopt;
  return known->first;
}

Level Policy::of(std::string_view domain) const {
  const auto rule = std::ranges::find_if(rules, [&](const Rule& one) {
    return std::ranges::any_of(one.domains, [&](const std::string& pattern) { return fits(pattern, domain); });
  });
  return rule == rules.end() ? level : rule->level;
}

bool Policy::uses(Level wanted) const {
  return level == wanted || std::ranges::any_of(rules, [&](const Rule& rule) { return rule.level == wanted; });
}

}  // namespace postproof::tls
