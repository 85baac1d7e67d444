#include "sim/run/faults.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/event_text.h"
#include "mta/base/text.h"
#include "sim/world/sim_disk.h"

namespace postproof::sim {

namespace {

CrashLoss crash_loss(std::string_view word) {
  if (word == "lose") return CrashLoss::lose_all;
  if (word == "keep") return CrashLoss::keep_all;
  return CrashLoss::torn;
}

// The pattern stands for the value of any field, or for the whole line that a log would have.
bool event_matches(const Event& event, std::string_view pattern) {
  if (pattern == "*") return true;
  const auto fields = event_fields(event);
  return std::ranges::any_of(fields, [&](const auto& field) { return glob_match(pattern, field.second, true); }) ||
         glob_match(pattern, event_to_text(event), true);
}

}  // namespace

Faults::Faults(Cast& cast, std::optional<std::uint64_t> disk_op)
    : cast_(cast), world_(cast.world()), each_at_(disk_op) {
  cast_.on_event = [this](MtaActor& actor, const Event& event) { saw_event(actor, event); };
}

void Faults::begin(const Fault& fault, std::uint32_t line) {
  if (fault.kind.starts_with("tcp.")) {
    begin_tcp(fault, line);
  } else if (fault.kind.starts_with("dns.")) {
    begin_dns(fault, line);
  } else if (fault.kind.starts_with("disk.")) {
    begin_disk(fault, line);
  } else if (fault.kind == "process.crash") {
    begin_crash(fault, line);
  } else if (fault.kind == "clock.step") {
    step_clock(fault, line);
  }
}

void Faults::begin_dns(const Fault& fault, std::uint32_t line) {
  const auto kind = dns_fault_kind(std::string_view(fault.kind).substr(4));
  if (!kind) return;  // the loader knows them all
  tell(fault, line, "begins");
  const std::uint64_t id = next_id_++;
  DnsFault dns_fault{*kind, fault.name, line};
  dns_fault.by = fault.by;
  if (fault.ttl) dns_fault.ttl = static_cast<std::uint32_t>(*fault.ttl / std::chrono::seconds{1});
  dns_fault.records = fault.records;
  dns_fault.section = fault.section == "authority"    ? DnsSection::authority
                      : fault.section == "additional" ? DnsSection::additional
                                                      : DnsSection::answer;
  cast_.add_dns_fault(id, std::move(dns_fault));
  end_later(fault, line, [this, id] { cast_.remove_dns_fault(id); });
}

void Faults::begin_disk(const Fault& fault, std::uint32_t line) {
  MtaActor* actor = cast_.mta(fault.host);
  if (actor == nullptr) return;
  tell(fault, line, "begins");
  DiskFault disk_fault;
  disk_fault.operation = fault.operation;
  disk_fault.path = fault.path;
  disk_fault.error = fault.kind == "disk.enospc" ? Errc::no_space : Errc::io;
  if (fault.nth) {
    disk_fault.skip = *fault.nth - 1;
    disk_fault.count = 1;
  }
  const std::uint64_t id = actor->node->disk().add_fault(std::move(disk_fault));
  end_later(fault, line, [actor, id] { actor->node->disk().remove_fault(id); });
}

void Faults::step_clock(const Fault& fault, std::uint32_t line) {
  MtaActor* actor = cast_.mta(fault.host);
  if (actor == nullptr) return;
  actor->clock_offset += fault.by;
  tell(fault, line,
       fmt::format("{} by {}", fault.by < Duration{0} ? "back" : "forward",
                   format_duration(fault.by < Duration{0} ? -fault.by : fault.by)));
  actor->node->set_clock_offset(actor->clock_offset);
}

void Faults::begin_crash(const Fault& fault, std::uint32_t line) {
  MtaActor* actor = cast_.mta(fault.host);
  if (actor == nullptr) return;
  if (fault.event.empty() && !fault.disk_op && !fault.disk_op_each) {
    if (!actor->node->running()) return tell(fault, line, "finds it down");
    prepare_crash(fault, line, *actor, "strikes");
    actor->node->crash();
    restart_later(fault, *actor);
    return;
  }
  if (fault.disk_op_each && !each_at_) return;
  Armed& armed = armed_.emplace_back();
  armed.fault = &fault;
  armed.line = line;
  armed.actor = actor;
  armed.each = fault.disk_op_each;
  armed.disk_op = fault.disk_op_each ? each_at_ : fault.disk_op;
  armed.counting = fault.from.empty();
  if (armed.disk_op && std::ranges::find(disks_watched_, actor) == disks_watched_.end()) {
    disks_watched_.push_back(actor);
    actor->node->disk().on_operation([this, actor](std::uint64_t, std::string_view operation, std::string_view path) {
      saw_disk_operation(*actor, operation, path);
    });
  }
}

void Faults::saw_event(MtaActor& actor, const Event& event) {
  for (Armed& armed : armed_) {
    if (armed.fired || armed.actor != &actor) continue;
    const Fault& fault = *armed.fault;
    if (!fault.from.empty() && event_name(event) == fault.from) armed.counting = true;
    if (!fault.event.empty() && event_name(event) == fault.event && event_matches(event, fault.match)) {
      fire(armed, "at event " + event_to_text(event));
    }
  }
}

void Faults::saw_disk_operation(MtaActor& actor, std::string_view operation, std::string_view path) {
  for (Armed& armed : armed_) {
    if (armed.fired || armed.actor != &actor || !armed.disk_op || !armed.counting) continue;
    if (++armed.counted == *armed.disk_op) {
      fire(armed, fmt::format("at disk operation {}: {} {}", armed.counted, operation, path));
    }
  }
}

// Called from within a port call of the node.
void Faults::fire(Armed& armed, const std::string& detail) {
  armed.fired = true;
  each_fired_ = each_fired_ || armed.each;
  prepare_crash(*armed.fault, armed.line, *armed.actor, detail);
  armed.actor->node->crash_soon();
  ++restarts_ahead_;  // so that the run does not end before this has come
  world_.after_this_event([this, &armed] {
    --restarts_ahead_;
    restart_later(*armed.fault, *armed.actor);
  });
}

void Faults::prepare_crash(const Fault& fault, std::uint32_t line, MtaActor& actor, const std::string& detail) {
  tell(fault, line, detail);
  actor.cut = true;
  actor.node->disk().set_crash_loss(crash_loss(fault.loss));
}

void Faults::restart_later(const Fault& fault, MtaActor& actor) {
  if (!fault.restart) return cast_.settle(actor);
  ++restarts_ahead_;
  world_.at(world_.now() + *fault.restart, [this, &actor] {
    --restarts_ahead_;
    if (!actor.node->running()) actor.node->restart();
  });
}

void Faults::end_later(const Fault& fault, std::uint32_t line, std::move_only_function<void()> undo) {
  if (!fault.lasts) return;
  world_.at(world_.now() + *fault.lasts, [this, &fault, line, undo = std::move(undo)]() mutable {
    undo();
    tell(fault, line, "ends");
  });
}

void Faults::tell(const Fault& fault, std::uint32_t line, std::string detail) {
  world_.recorder().add(record::Fault{fault.kind, where(fault), line, std::move(detail)});
}

std::string Faults::where(const Fault& fault) {
  if (fault.kind.starts_with("dns.")) return fault.name.empty() ? "*" : fault.name;
  std::string text = fault.host;
  if (fault.port) text += fmt::format(":{}", *fault.port);
  if (!fault.with.empty()) text += " | " + fault.with;
  if (fault.kind.starts_with("disk.")) text += fmt::format(" {} {}", fault.operation, fault.path);
  return text;
}

}  // namespace postproof::sim
