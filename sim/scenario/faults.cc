#include "sim/scenario/faults.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/fault_kinds.h"

namespace postproof::sim {

namespace {

const std::vector<FaultKind>& kinds() {
  static const std::vector<FaultKind> list = [] {
    std::vector<FaultKind> all;
    for (const auto& layer :
         {tcp_fault_kinds, dns_fault_kinds, smtp_fault_kinds, tls_fault_kinds, disk_fault_kinds,
          process_fault_kinds, clock_fault_kinds}) {
      for (FaultKind& kind : layer()) all.push_back(std::move(kind));
    }
    return all;
  }();
  return list;
}

std::vector<std::string_view> keys_of(const FaultKind& kind) {
  std::vector<std::string_view> names;
  for (const FaultKey& key : kind.required) names.push_back(key.name);
  for (const FaultKey& key : kind.optional) names.push_back(key.name);
  return names;
}

bool takes(const FaultKind& kind, std::string_view key) {
  return std::ranges::find(kind.required, key, &FaultKey::name) != kind.required.end() ||
         std::ranges::find(kind.optional, key, &FaultKey::name) != kind.optional.end();
}

void complain_of_kind(TomlReader& table, const std::string& name) {
  const std::vector<std::string_view> all = fault_kinds();
  const std::string_view near = nearest_word(name, all);
  const std::string_view layer = std::string_view(name).substr(0, name.find('.') + 1);
  std::vector<std::string_view> of_layer;
  std::ranges::copy_if(all, std::back_inserter(of_layer),
                       [&](std::string_view kind) { return !layer.empty() && kind.starts_with(layer); });
  table.complain("kind", fmt::format("no fault is named \"{}\"; {}", escape(name),
                                     !near.empty() ? fmt::format("did you mean \"{}\"?", near)
                                                   : fmt::format("expected {}", fmt::join(of_layer.empty() ? all : of_layer, ", "))));
}

}  // namespace

std::string place_of(const Fault& fault) {
  if (fault.kind.starts_with("dns.")) return fault.name.empty() ? "*" : fault.name;
  std::string text = fault.host;
  if (fault.port) text += fmt::format(":{}", *fault.port);
  if (!fault.with.empty()) text += " | " + fault.with;
  if (fault.kind.starts_with("disk.")) text += " " + fault.path;
  return text;
}

const FaultKind* find_fault_kind(std::string_view name) {
  const auto at = std::ranges::find(kinds(), name, &FaultKind::name);
  return at == kinds().end() ? nullptr : &*at;
}

std::vector<std::string_view> fault_kinds() {
  std::vector<std::string_view> names;
  for (const FaultKind& kind : kinds()) names.push_back(kind.name);
  return names;
}

Fault read_fault(TomlReader& table, const HostNames& hosts, const std::vector<std::string>& source) {
  Fault fault;
  const auto name = table.string("kind");
  if (!table.has("kind")) table.complain("kind", "missing; expected what goes wrong, like \"tcp.blackhole\"");
  if (name == "process.reload") {
    table.complain("kind", "a word of the language that this version cannot carry out yet");
    return fault;
  }
  const FaultKind* kind = name ? find_fault_kind(*name) : nullptr;
  if (kind == nullptr) {
    if (name) complain_of_kind(table, *name);
    return fault;  // what its keys mean is not known
  }
  fault.kind = kind->name;
  fault.may_miss = table.boolean("may_miss").value_or(false);

  const FaultReading reading{table, hosts, source};
  for (const FaultKey& key : kind->required) {
    if (!table.has(key.name)) table.complain(key.name, fmt::format("missing; {} needs it", kind->name));
    key.read(reading, fault);
  }
  for (const FaultKey& key : kind->optional) key.read(reading, fault);
  if (kind->settle != nullptr) kind->settle(reading, fault);

  // Keys of other kinds are told apart from keys that no fault has.
  for (const std::string& key : table.keys()) {
    if (key == "kind" || takes(*kind, key)) continue;
    const bool of_another = std::ranges::any_of(kinds(), [&](const FaultKind& other) { return takes(other, key); });
    if (!of_another) continue;
    table.raw(key);
    table.complain(key, fmt::format("{} does not take it; it takes {}", kind->name, fmt::join(keys_of(*kind), ", ")));
  }
  table.finish();
  return fault;
}

}  // namespace postproof::sim
