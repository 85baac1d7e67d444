#include "sim/explore/fault_draw.h"

#include <algorithm>

#include "sim/explore/fault_values.h"
#include "sim/explore/moment.h"
#include "sim/explore/rule_draw.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/load.h"

namespace postproof::sim {

namespace {

using document::Document;
using document::Section;
using document::Table;
using document::Value;

constexpr std::uint64_t kKindsMax = 4, kFaultsMax = 8;
// Keys that may not go together make a fault that does not load: another is drawn, so often.
constexpr int kTries = 20;
// A key that a fault can do without is there so often.
constexpr unsigned kOptionalPercent = 40;
// Without an end most faults would only let all mail expire, and a crash would end the story.
constexpr unsigned kEndPercent = 90, kRestartPercent = 97;

unsigned percent_of(std::string_view key) {
  if (key == "for") return kEndPercent;
  if (key == "restart") return kRestartPercent;
  return kOptionalPercent;
}

bool is_rule(std::string_view kind) { return kind.starts_with("rule."); }

// Does the peer follow rules of its own?
bool takes_rules(const Section& section) {
  return section.kind == "peer" && section.body.find("script") == nullptr && section.body.find("like") == nullptr;
}

bool add_rule(Document& document, std::string_view kind, const Target& target, Draw& draw) {
  std::vector<Section*> peers;
  for (Section& section : document.sections) {
    if (takes_rules(section)) peers.push_back(&section);
  }
  if (peers.empty()) return false;
  Table& peer = draw.pick(peers)->body;
  if (peer.find("rules") == nullptr) peer.set("rules", document::Array{});
  auto* rules = peer.find("rules")->as<document::Array>();
  if (rules == nullptr) return false;
  rules->insert(rules->begin(), Value(draw_rule(kind, target, draw)));  // the first that matches decides
  return true;
}

bool add_timed(Document& document, const FaultKind& kind, const Target& target, Draw& draw) {
  Table fault;
  fault.set("kind", std::string(kind.name));
  for (const FaultKey& key : kind.required) {
    auto value = draw_value(kind, key, target, draw);
    if (!value) return false;
    fault.set(key.name, std::move(*value));
  }
  for (const FaultKey& key : kind.optional) {
    if (!draw.chance(percent_of(key.name))) continue;
    if (auto value = draw_value(kind, key, target, draw)) fault.set(key.name, std::move(*value));
  }
  Section at{"at", "", true, {}};
  at.body.set("t", format_duration(draw_moment(target, draw)));
  at.body.set("fault", std::move(fault));
  document.sections.push_back(std::move(at));
  return true;
}

void add_fault(Document& document, std::string_view kind, const Target& target, Draw& draw) {
  for (int i = 0; i < kTries; ++i) {
    Document changed = document;
    const bool added = is_rule(kind) ? add_rule(changed, kind, target, draw)
                                     : add_timed(changed, *find_fault_kind(kind), target, draw);
    if (!added || !load_scenario("explored", document::write(changed))) continue;
    document = std::move(changed);
    return;
  }
}

// A layer first: or DNS, which has most kinds, would have most of the trouble.
std::vector<std::string_view> draw_kinds(Draw& draw) {
  std::vector<std::string_view> kinds;
  for (std::uint64_t n = draw.between(1, kKindsMax); n > 0; --n) {
    kinds.push_back(draw.pick(draw.pick(fault_layers()).kinds));
  }
  return kinds;
}

}  // namespace

const std::vector<FaultLayer>& fault_layers() {
  static const std::vector<FaultLayer> layers = [] {
    std::vector<FaultLayer> list;
    const auto add = [&](std::string_view kind) {
      const std::string_view layer = kind.substr(0, kind.find('.') + 1);
      if (list.empty() || list.back().name != layer) list.push_back(FaultLayer{layer, {}});
      list.back().kinds.push_back(kind);
    };
    for (const std::string_view kind : fault_kinds()) add(kind);
    for (const std::string_view kind : rule_kinds()) add(kind);
    return list;
  }();
  return layers;
}

std::vector<std::string_view> keys_never_drawn(std::string_view kind) {
  std::vector<std::string_view> keys;
  if (is_rule(kind)) return keys;
  for (const FaultKey& key : find_fault_kind(kind)->required) {
    if (!can_draw(kind, key.name)) keys.push_back(key.name);
  }
  return keys;
}

void add_faults(Document& document, Draw& draw) {
  const Target target = read_target(document);
  const std::vector<std::string_view> kinds = draw_kinds(draw);
  for (std::uint64_t n = draw.log_between(1, kFaultsMax); n > 0; --n) {
    add_fault(document, draw.pick(kinds), target, draw);
  }
}

}  // namespace postproof::sim
