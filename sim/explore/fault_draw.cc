#include "sim/explore/fault_draw.h"

#include <algorithm>

#include "sim/explore/fault_values.h"
#include "sim/explore/moment.h"
#include "sim/run/suite.h"
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
// Without an end most faults would only let all mail expire, and a crash would end the story. A host that cannot use its
// disk, or open a socket, waits for as long as that lasts, and keeps what it has: such a run would have no end.
constexpr unsigned kEndPercent = 90, kRestartPercent = 97;

// Octets one by one, without an end, would be all that a run is about.
bool ends_always(std::string_view kind) {
  return kind.starts_with("disk.") || kind == "process.descriptors" || kind == "tcp.drip" || kind == "tcp.segment";
}

unsigned percent_of(std::string_view kind, std::string_view key) {
  if (key == "for") return ends_always(kind) ? 100 : kEndPercent;
  if (key == "restart") return kRestartPercent;
  return kOptionalPercent;
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
    if (!draw.chance(percent_of(kind.name, key.name))) continue;
    if (auto value = draw_value(kind, key, target, draw)) fault.set(key.name, std::move(*value));
  }
  Section at{"at", "", true, {}};
  // What a mail server answers from the beginning on, to the first or the first few, decides most.
  const bool from_begin = kind.name.starts_with("smtp.") && draw.chance(40);
  at.body.set("t", format_duration(from_begin ? Duration{0} : draw_moment(target, draw)));
  fault.set("may_miss", true);
  at.body.set("fault", std::move(fault));
  document.sections.push_back(std::move(at));
  return true;
}

void add_fault(Document& document, std::string_view kind, const Target& target, Draw& draw) {
  for (int i = 0; i < kTries; ++i) {
    Document changed = document;
    const bool added = add_timed(changed, *find_fault_kind(kind), target, draw);
    if (!added || !load_scenario("explored", document::write(changed), read_named_file)) continue;
    document = std::move(changed);
    return;
  }
}

// A layer first: or DNS, which has most kinds, would have most of the trouble. That of SMTP counts twice: what mail
// servers answer is what an MTA has to get right most of all. So does TLS, for most worlds are without it.
std::vector<std::string_view> draw_kinds(const Target& target, Draw& draw) {
  std::vector<const FaultLayer*> layers;
  for (const FaultLayer& layer : fault_layers()) {
    if (layer.name == "tls." && target.tls_peers.empty()) continue;
    layers.push_back(&layer);
    if (layer.name == "smtp." || layer.name == "tls.") layers.push_back(&layer);
  }
  std::vector<std::string_view> kinds;
  for (std::uint64_t n = draw.between(1, kKindsMax); n > 0; --n) kinds.push_back(draw.pick(draw.pick(layers)->kinds));
  return kinds;
}

}  // namespace

const std::vector<FaultLayer>& fault_layers() {
  static const std::vector<FaultLayer> layers = [] {
    std::vector<FaultLayer> list;
    for (const std::string_view kind : fault_kinds()) {
      const std::string_view layer = kind.substr(0, kind.find('.') + 1);
      if (list.empty() || list.back().name != layer) list.push_back(FaultLayer{layer, {}});
      list.back().kinds.push_back(kind);
    }
    return list;
  }();
  return layers;
}

std::vector<std::string_view> keys_never_drawn(std::string_view kind) {
  std::vector<std::string_view> keys;
  for (const FaultKey& key : find_fault_kind(kind)->required) {
    if (!can_draw(kind, key.name)) keys.push_back(key.name);
  }
  return keys;
}

void add_faults(Document& document, Draw& draw) {
  const Target target = read_target(document);
  const std::vector<std::string_view> kinds = draw_kinds(target, draw);
  for (std::uint64_t n = draw.log_between(1, kFaultsMax); n > 0; --n) {
    add_fault(document, draw.pick(kinds), target, draw);
  }
}

}  // namespace postproof::sim
