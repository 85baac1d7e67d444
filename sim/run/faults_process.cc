// The faults of the layer process: crashes, now or at an event or a disk operation, pauses, and a limit of descriptors.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/event_text.h"
#include "mta/base/text.h"
#include "sim/run/faults.h"
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

void Faults::begin_process(const Fault& fault, std::uint32_t line) {
  if (fault.kind == "process.pause") return begin_pause(fault, line);
  if (fault.kind == "process.descriptors") return begin_descriptors(fault, line);
  begin_crash(fault, line);
}

// Of pauses of one host that overlap, the last to end ends them all.
void Faults::begin_pause(const Fault& fault, std::uint32_t line) {
  Node* node = world_.find_node(fault.host);
  if (node == nullptr || !fault.lasts) return;
  tell(fault, line, node->running() ? "begins" : "finds it down");
  ++pauses_[fault.host];
  ++pending_;
  node->pause(true);
  end_later(fault, line, [this, &fault, node] {
    --pending_;
    if (--pauses_[fault.host] == 0) node->pause(false);
  });
}

void Faults::begin_descriptors(const Fault& fault, std::uint32_t line) {
  MtaActor* actor = cast_.mta(fault.host);
  if (actor == nullptr) return;
  tell(fault, line, fmt::format("begins: {} at the most", fault.limit));
  actor->node->set_descriptors_max(fault.limit, [this, &fault, line, told = false]() mutable {
    if (!std::exchange(told, true)) tell(fault, line, "strikes: too many open files");
  });
  end_later(fault, line, [actor] { actor->node->set_descriptors_max(std::nullopt); });
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
  ++pending_;  // so that the run does not end before this has come
  world_.after_this_event([this, &armed] {
    --pending_;
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
  cast_.unsettle(actor);
  ++pending_;
  world_.at(world_.now() + *fault.restart, [this, &actor] {
    --pending_;
    if (!actor.node->running()) actor.node->restart();
  });
}

}  // namespace postproof::sim
