#include "sim/run/faults.h"

#include <fmt/format.h>

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
  } else if (fault.kind.starts_with("disk.")) {
    begin_disk(fault, line);
  } else if (fault.kind.starts_with("process.")) {
    begin_process(fault, line);
  } else if (fault.kind.starts_with("clock.")) {
    begin_clock(fault, line);
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
  if (fault.kind.starts_with("disk.")) text += " " + fault.path;
  return text;
}

}  // namespace postproof::sim
