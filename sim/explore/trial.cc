#include "sim/explore/trial.h"

#include <algorithm>

#include "sim/explore/draw.h"
#include "sim/run/check.h"
#include "sim/run/suite.h"
#include "sim/scenario/load.h"

namespace postproof::sim {

namespace {

using document::Array;
using document::Document;
using document::Section;
using document::Table;
using document::Value;

constexpr std::string_view kInvariant = "invariant: ";
// Beyond the longest life that mail can have in the scenario: its clocks may be moved, and reports have lives too.
constexpr Duration kPatience = std::chrono::hours{20 * 24};
constexpr std::uint64_t kDiskOpMax = 200;

// Each axis keeps one of its values.
void draw_variant(Table& matrix, Draw& draw) {
  for (document::Entry& axis : matrix.entries) {
    auto* values = axis.value.as<Array>();
    if (values == nullptr || values->size() < 2) continue;
    const Value one = draw.pick(*values);
    *values = Array{one};
  }
}

Duration life_of(const Table& mta) {
  const Value* retry = mta.find("retry");
  const Table* settings = retry == nullptr ? nullptr : retry->as<Table>();
  if (settings == nullptr) return Duration{0};
  const auto part = [&](std::string_view key) { return parse_duration(settings->text(key)).value_or(Duration{0}); };
  return part("lifetime") + part("bounce_lifetime");
}

}  // namespace

std::vector<std::string> broken_invariants(const Judgement& judgement) {
  std::vector<std::string> names;
  for (const Failure& failure : judgement.failures) {
    if (!failure.expectation.starts_with(kInvariant)) continue;
    std::string name = failure.expectation.substr(kInvariant.size());
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::optional<RunResult> try_text(const std::string& name, const std::string& text) {
  const auto scenario = load_scenario(name, text, read_named_file);
  if (!scenario || !check_scenario(*scenario).empty()) return std::nullopt;
  return run_once(*scenario, RunOptions{});
}

void prepare(Document& document, std::uint64_t seed, Duration life) {
  Draw draw(seed, "variant");
  for (const std::string_view key : {"covers", "cases", "seed", "limit", "open"}) document.head.erase(key);
  std::erase_if(document.sections, [](const Section& section) { return section.kind == "expect"; });
  if (Value* matrix = document.head.find("matrix"); matrix != nullptr && matrix->as<Table>() != nullptr) {
    draw_variant(*matrix->as<Table>(), draw);
  }
  Duration limit = kPatience + life;
  for (Section& section : document.sections) {
    if (section.kind == "mta") limit += life_of(section.body);
    Value* fault = section.kind == "at" ? section.body.find("fault") : nullptr;
    Table* keys = fault == nullptr ? nullptr : fault->as<Table>();
    if (keys != nullptr) keys->set("may_miss", true);  // another may be in its way
    if (keys != nullptr && keys->text("disk_op") == "each") {
      keys->set("disk_op", static_cast<std::int64_t>(draw.log_between(1, kDiskOpMax)));
    }
  }
  document.head.set("seed", static_cast<std::int64_t>(seed));
  constexpr Duration kDay = std::chrono::hours{24};
  document.head.set("limit", format_duration((limit + kDay - Duration{1}) / kDay * kDay));
  document.head.set("open", true);
}

}  // namespace postproof::sim
