#include <toml++/toml.h>

#include "sim/scenario/fault_keys.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

void read_by(const FaultReading& reading, Fault& fault) {
  fault.by = read_up_to(reading.table, "by", kLatencyMax).value_or(Duration{0});
}

void read_ttl(const FaultReading& reading, Fault& fault) { fault.ttl = reading.table.duration("ttl"); }

// A text of several lines has its places in the file only as a string of several lines.
void read_records(const FaultReading& reading, Fault& fault) {
  if (const toml::node* node = reading.table.raw("records");
      node != nullptr && node->source().begin.line == node->source().end.line) {
    const SourcePosition begin = reading.table.position("records");
    fault.records = reading.table.string("records").value_or("");
    fault.records_line = begin.line;
    fault.records_column = begin.column;
    return;
  }
  if (auto block = read_block(reading.table, "records", reading.source)) {
    fault.records = std::move(block->text);
    fault.records_line = block->line;
    fault.records_column = block->column;
  }
}

void read_section(const FaultReading& reading, Fault& fault) {
  fault.section = reading.table.word("section", {"answer", "authority", "additional"}).value_or("answer");
}

constexpr FaultKey kBy{"by", read_by};
constexpr FaultKey kTtl{"ttl", read_ttl};
constexpr FaultKey kRecords{"records", read_records};
constexpr FaultKey kSection{"section", read_section};

}  // namespace

std::vector<FaultKind> dns_fault_kinds() {
  return {
      {"dns.nxdomain", {}, {kName, kFor}},
      {"dns.nodata", {}, {kName, kFor}},
      {"dns.servfail", {}, {kName, kFor}},
      {"dns.refused", {}, {kName, kFor}},
      {"dns.timeout", {}, {kName, kFor}},
      {"dns.lame", {}, {kName, kFor}},
      {"dns.truncate", {}, {kName, kFor}},
      {"dns.tcp-refuse", {}, {kName, kFor}},
      {"dns.wrong-id", {}, {kName, kFor}},
      {"dns.bogus", {}, {kName, kFor}},
      {"dns.formerr", {}, {kName, kFor}},
      {"dns.edns-drop", {}, {kName, kFor}},
      {"dns.cname-loop", {}, {kName, kFor}},
      {"dns.delay", {kBy}, {kName, kFor}},
      {"dns.insecure", {}, {kName, kFor}},
      {"dns.ttl", {kTtl}, {kName, kFor}},
      {"dns.extra", {kRecords}, {kName, kSection, kFor}},
  };
}

}  // namespace postproof::sim
