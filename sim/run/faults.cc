#include "sim/run/faults.h"

#include "sim/dns/scenario_zones.h"
#include "sim/scenario/faults.h"

namespace postproof::sim {

Faults::Faults(Cast& cast, std::optional<std::uint64_t> disk_op)
    : cast_(cast), world_(cast.world()), each_at_(disk_op) {
  cast_.on_event = [this](MtaActor& actor, const Event& event) { saw_event(actor, event); };
}

void Faults::begin(const Fault& fault, std::uint32_t line) {
  if (fault.kind.starts_with("tcp.")) {
    begin_tcp(fault, line);
  } else if (fault.kind.starts_with("dns.")) {
    begin_dns(fault, line);
  } else if (fault.kind.starts_with("smtp.")) {
    begin_smtp(fault, line);
  } else if (fault.kind.starts_with("tls.")) {
    begin_tls(fault, line);
  } else if (fault.kind.starts_with("disk.")) {
    begin_disk(fault, line);
  } else if (fault.kind.starts_with("process.")) {
    begin_process(fault, line);
  } else if (fault.kind.starts_with("clock.")) {
    begin_clock(fault, line);
  }
}

void Faults::begin_dns(const Fault& fault, std::uint32_t line) {
  auto dns_fault = dns_fault_of(fault, line);
  if (!dns_fault) return;  // the loader knows them all
  tell(fault, line, "begins");
  const std::uint64_t id = next_id_++;
  cast_.add_dns_fault(id, std::move(*dns_fault));
  // Where nobody listens, no question is asked.
  const bool deaf = fault.kind == "dns.tcp-refuse" && fault.name == "*";
  const std::uint64_t dials = watch(fault, line, [deaf](const Passage& passage) {
    return deaf && passage.what == Passage::What::dial && passage.to == kResolverHost;
  });
  end_later(fault, line, [this, id, dials] {
    cast_.remove_dns_fault(id);
    world_.network().remove_onlooker(dials);
  });
}

void Faults::begin_smtp(const Fault& fault, std::uint32_t line) {
  if (!fault.peer) return;  // the loader sees to it
  tell(fault, line, "begins");
  const std::uint64_t id = next_id_++;
  cast_.add_peer_fault(fault.host, id, *fault.peer);
  end_later(fault, line, [this, &fault, id] { cast_.remove_peer_fault(fault.host, id); });
}

void Faults::begin_tls(const Fault& fault, std::uint32_t line) {
  PeerActor* actor = cast_.peer(fault.host);
  if (actor == nullptr) return;
  tell(fault, line, "begins");
  const std::uint64_t id = next_id_++;
  actor->tls->add_fault(id, fault, line);
  end_later(fault, line, [actor, id] { actor->tls->remove_fault(id); });
}

std::uint64_t Faults::watch(const Fault& fault, std::uint32_t line, std::function<bool(const Passage&)> meets) {
  return world_.network().add_onlooker([this, &fault, line, meets = std::move(meets)](const Passage& passage) {
    if (!meets(passage)) return false;
    tell(fault, line, fmt::format("strikes {} > {}", passage.from, passage.to));
    return true;
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
  world_.recorder().add(record::Fault{fault.kind, place_of(fault), line, std::move(detail)});
}

}  // namespace postproof::sim
