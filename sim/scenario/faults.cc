#include "sim/scenario/faults.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

struct Kind {
  std::string_view name;
  std::vector<std::string_view> required, optional;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> list = [] {
    std::vector<Kind> kinds;
    for (const std::string_view name : {"tcp.refuse", "tcp.unreachable", "tcp.blackhole", "tcp.silent"}) {
      kinds.push_back({name, {"host"}, {"port", "for"}});
    }
    kinds.push_back({"tcp.reset", {"host"}, {}});
    kinds.push_back({"tcp.partition", {"host", "with"}, {"for"}});
    for (const std::string_view name : {"dns.nxdomain", "dns.nodata", "dns.servfail", "dns.refused", "dns.timeout",
                                        "dns.truncate", "dns.tcp-refuse", "dns.wrong-id", "dns.bogus", "dns.formerr",
                                        "dns.edns-drop"}) {
      kinds.push_back({name, {}, {"name", "for"}});
    }
    kinds.push_back({"disk.enospc", {"host"}, {"operation", "path", "nth", "for"}});
    kinds.push_back({"disk.eio", {"host"}, {"operation", "path", "nth", "for"}});
    kinds.push_back({"process.crash", {"host"}, {"event", "match", "disk_op", "from", "restart", "loss"}});
    kinds.push_back({"clock.step", {"host", "by"}, {}});
    return kinds;
  }();
  return list;
}

const Kind* find_kind(std::string_view name) {
  const auto at = std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.name == name; });
  return at == kinds().end() ? nullptr : &*at;
}

bool takes(const Kind& kind, std::string_view key) {
  return std::find(kind.required.begin(), kind.required.end(), key) != kind.required.end() ||
         std::find(kind.optional.begin(), kind.optional.end(), key) != kind.optional.end();
}

void complain_of_kind(TomlReader& table, const std::string& name) {
  if (name.starts_with("smtp.")) {
    table.complain("kind", "faults of SMTP are rules of a peer; expected them in [peer.NAME] rules");
    return;
  }
  const std::vector<std::string_view> all = fault_kinds();
  const std::string_view near = nearest_word(name, all);
  const std::string_view layer = std::string_view(name).substr(0, name.find('.') + 1);
  std::vector<std::string_view> of_layer;
  std::copy_if(all.begin(), all.end(), std::back_inserter(of_layer),
               [&](std::string_view kind) { return !layer.empty() && kind.starts_with(layer); });
  table.complain("kind", fmt::format("no fault is named \"{}\"; {}", escape(name),
                                     !near.empty() ? fmt::format("did you mean \"{}\"?", near)
                                                   : fmt::format("expected {}", fmt::join(of_layer.empty() ? all : of_layer, ", "))));
}

// "1h", or "-1h" for a step back.
std::optional<Duration> read_step(TomlReader& table) {
  const auto text = table.string("by");
  if (!text) return std::nullopt;
  const bool back = text->starts_with('-');
  const auto step = parse_duration(std::string_view(*text).substr(back ? 1 : 0));
  if (!step || *step == Duration{0}) {
    table.complain("by", "expected how far the clock is moved, like \"1h\", or \"-1h\" for back");
    return std::nullopt;
  }
  return back ? -*step : *step;
}

// Crashes: now, at an event, or at a disk operation.
void read_crash(TomlReader& table, Fault& fault) {
  fault.event = read_event_name(table, "event").value_or("");
  fault.match = read_glob(table, "match").value_or("*");
  fault.from = read_event_name(table, "from").value_or("");
  if (table.has("disk_op")) {
    if (table.raw("disk_op")->is_string()) {
      fault.disk_op_each = table.word("disk_op", {"each"}).has_value();
    } else {
      fault.disk_op = read_count(table, "disk_op", 1, 100'000'000);
    }
    if (table.has("event")) table.complain("event", "expected only one of event and disk_op");
  }
  if (table.has("match") && !table.has("event")) table.complain("match", "expected only together with \"event\"");
  if (table.has("from") && !table.has("disk_op")) table.complain("from", "expected only together with \"disk_op\"");
  fault.restart = table.duration("restart");
  fault.loss = table.word("loss", {"torn", "lose", "keep"}).value_or("torn");
}

}  // namespace

std::vector<std::string_view> fault_kinds() {
  std::vector<std::string_view> names;
  for (const Kind& kind : kinds()) names.push_back(kind.name);
  return names;
}

Fault read_fault(TomlReader& table, const HostNames& hosts) {
  Fault fault;
  const auto name = table.string("kind");
  if (!table.has("kind")) table.complain("kind", "missing; expected what goes wrong, like \"tcp.blackhole\"");
  const Kind* kind = name ? find_kind(*name) : nullptr;
  if (kind == nullptr) {
    if (name) complain_of_kind(table, *name);
    return fault;  // what its keys mean is not known
  }
  fault.kind = kind->name;

  for (const std::string_view key : kind->required) {
    if (!table.has(key)) table.complain(key, fmt::format("missing; {} needs it", kind->name));
  }
  const bool layer_of_mta = kind->name.starts_with("disk.") || kind->name.starts_with("process.") || kind->name.starts_with("clock.");
  if (takes(*kind, "host")) {
    fault.host = (layer_of_mta ? hosts.read(table, "host", {HostKind::mta}) : hosts.read(table, "host", {})).value_or("");
  }
  if (takes(*kind, "with")) {
    fault.with = hosts.read(table, "with", {}).value_or("");
    if (!fault.with.empty() && fault.with == fault.host) table.complain("with", "expected another host than \"host\"");
  }
  if (takes(*kind, "name")) {
    std::string domain = table.string("name").value_or("*");
    if (domain.ends_with('.')) domain.pop_back();
    if (domain != "*" && !is_domain(domain)) {
      table.complain("name", "expected a domain like \"dest.example\" (it and all below it), or \"*\"");
    }
    fault.name = ascii_lower(domain);
  }
  if (takes(*kind, "for")) fault.lasts = read_positive(table, "for");
  if (takes(*kind, "port")) {
    if (const auto port = read_count(table, "port", 1, 65'535)) fault.port = static_cast<std::uint16_t>(*port);
  }
  if (takes(*kind, "operation")) {
    fault.operation = table.word("operation", {"write", "sync", "read", "open", "allocate", "rename", "unlink", "sync_dir", "list", "*"})
                          .value_or("write");
    fault.path = read_glob(table, "path").value_or("*");
    fault.nth = read_count(table, "nth", 1, 100'000'000);
  }
  if (takes(*kind, "by")) fault.by = read_step(table).value_or(Duration{0});
  if (kind->name == "process.crash") read_crash(table, fault);

  // Keys of other kinds are told apart from keys that no fault has.
  for (const std::string& key : table.keys()) {
    if (key == "kind" || takes(*kind, key)) continue;
    const bool of_another = std::any_of(kinds().begin(), kinds().end(), [&](const Kind& other) { return takes(other, key); });
    if (!of_another) continue;
    table.raw(key);
    std::vector<std::string_view> own = kind->required;
    own.insert(own.end(), kind->optional.begin(), kind->optional.end());
    table.complain(key, fmt::format("{} does not take it; it takes {}", kind->name, fmt::join(own, ", ")));
  }
  table.finish();
  return fault;
}

}  // namespace postproof::sim
