#include "sim/scenario/fault_keys.h"

#include "mta/base/text.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

void strike_at_once(const FaultReading&, Fault& fault) { fault.instant = true; }

void read_fault_host(const FaultReading& reading, Fault& fault) {
  fault.host = reading.hosts.read(reading.table, "host", {}).value_or("");
}

void read_fault_mta(const FaultReading& reading, Fault& fault) {
  fault.host = reading.hosts.read(reading.table, "host", {HostKind::mta}).value_or("");
}

void read_fault_with(const FaultReading& reading, Fault& fault) {
  fault.with = reading.hosts.read(reading.table, "with", {}).value_or("");
  if (!fault.with.empty() && fault.with == fault.host) {
    reading.table.complain("with", "expected another host than \"host\"");
  }
}

void read_fault_port(const FaultReading& reading, Fault& fault) {
  if (const auto port = read_count(reading.table, "port", 1, 65'535)) fault.port = static_cast<std::uint16_t>(*port);
}

void read_fault_for(const FaultReading& reading, Fault& fault) { fault.lasts = read_positive(reading.table, "for"); }

void read_fault_name(const FaultReading& reading, Fault& fault) {
  std::string domain = reading.table.string("name").value_or("*");
  if (domain.ends_with('.')) domain.pop_back();
  if (domain != "*" && !is_domain(domain)) {
    reading.table.complain("name", "expected a domain like \"dest.example\" (it and all below it), or \"*\"");
  }
  fault.name = ascii_lower(domain);
}

void read_fault_path(const FaultReading& reading, Fault& fault) {
  fault.path = read_glob(reading.table, "path").value_or("*");
}

void read_fault_operation(const FaultReading& reading, Fault& fault) {
  static const std::vector<std::string_view> words = {"write",  "sync",   "read",     "open", "allocate",
                                                      "rename", "unlink", "sync_dir", "list", "*"};
  fault.operation = reading.table.word("operation", words).value_or("write");
}

void read_fault_nth(const FaultReading& reading, Fault& fault) {
  fault.nth = read_count(reading.table, "nth", 1, 100'000'000);
}

}  // namespace postproof::sim
