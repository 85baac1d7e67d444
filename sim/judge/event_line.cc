#include "sim/judge/event_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"

namespace postproof::sim {

std::string event_line(const record::MtaEvent& event) {
  std::string text = event.name;
  for (const auto& [key, value] : event.fields) text += fmt::format(" {}={}", key, value);
  return text;
}

bool event_matches(const record::MtaEvent& event, std::string_view pattern) {
  if (pattern == "*") return true;
  const bool any_field = std::ranges::any_of(event.fields, [&](const auto& field) { return glob_match(pattern, field.second, true); });
  return any_field || glob_match(pattern, event_line(event), true);
}

}  // namespace postproof::sim
