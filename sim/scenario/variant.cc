#include "sim/scenario/variant.h"

#include <algorithm>

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

// All of its words are axis=value of the variant, and there is one.
bool names_axes(std::string_view only, const std::vector<VariantValue>& variant) {
  bool any = false;
  for (const std::string_view word : split(only, ' ')) {
    if (word.empty()) continue;
    any = true;
    const bool here = std::ranges::any_of(variant, [&](const VariantValue& one) { return word == one.axis + "=" + one.value; });
    if (!here) return false;
  }
  return any;
}

}  // namespace

std::string variant_name(const std::vector<VariantValue>& variant) {
  std::string name;
  for (const VariantValue& one : variant) name += (name.empty() ? "" : " ") + one.axis + "=" + one.value;
  return name;
}

bool asks_for(std::string_view only, const std::vector<VariantValue>& variant) {
  if (only == variant_name(variant)) return true;
  std::string values;
  for (const VariantValue& one : variant) values += (values.empty() ? "" : ",") + one.value;
  return (!variant.empty() && only == values) || names_axes(only, variant);
}

std::optional<std::uint64_t> last_number(std::string_view only) {
  const std::size_t at = only.find_last_of("=,");
  return parse_decimal(at == std::string_view::npos ? only : only.substr(at + 1));
}

}  // namespace postproof::sim
