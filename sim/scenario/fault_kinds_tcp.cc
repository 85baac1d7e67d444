#include <toml++/toml.h>

#include "sim/scenario/fault_keys.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

void read_way(const FaultReading& reading, Fault& fault) {
  const std::string word = reading.table.word("way", {"both", "to", "from"}).value_or("both");
  fault.way = word == "to" ? FaultWay::to : word == "from" ? FaultWay::from : FaultWay::both;
}

void read_octet(const FaultReading& reading, Fault& fault) {
  fault.octet = read_count(reading.table, "octet", 0, 1'000'000'000);
}

void read_line(const FaultReading& reading, Fault& fault) {
  fault.at_line = read_glob(reading.table, "line").value_or("");
}

void read_passes(const FaultReading& reading, Fault& fault) {
  fault.passes = reading.table.boolean("passes").value_or(true);
}

void read_times(const FaultReading& reading, Fault& fault) { fault.times = read_count(reading.table, "times", 1); }

void read_bandwidth(const FaultReading& reading, Fault& fault) {
  fault.bandwidth = read_rate(reading.table, "bandwidth").value_or(0);
}

void read_drip(const FaultReading& reading, Fault& fault) {
  fault.bandwidth = read_rate(reading.table, "rate").value_or(1);
  fault.packet = 1;
}

void read_segment(const FaultReading& reading, Fault& fault) {
  fault.segment = read_count(reading.table, "segment", 1, kSegmentMax).value_or(0);
}

void read_by(const FaultReading& reading, Fault& fault) {
  fault.by = read_up_to(reading.table, "by", kLatencyMax).value_or(Duration{0});
}

void read_jitter(const FaultReading& reading, Fault& fault) {
  fault.jitter = read_up_to(reading.table, "jitter", kLatencyMax).value_or(Duration{0});
}

void read_loss(const FaultReading& reading, Fault& fault) {
  fault.loss_share = reading.table.number("loss", 0, kLossMax).value_or(0);
}

constexpr FaultKey kWay{"way", read_way};
constexpr FaultKey kOctet{"octet", read_octet};
constexpr FaultKey kLine{"line", read_line};
constexpr FaultKey kPasses{"passes", read_passes};
constexpr FaultKey kTimes{"times", read_times};
constexpr FaultKey kBandwidth{"bandwidth", read_bandwidth};
constexpr FaultKey kRate{"rate", read_drip};
constexpr FaultKey kSegment{"segment", read_segment};
constexpr FaultKey kBy{"by", read_by};
constexpr FaultKey kJitter{"jitter", read_jitter};
constexpr FaultKey kLossShare{"loss", read_loss};

// Now, or behind an octet or a line of each connection while it lasts.
void settle_cut(const FaultReading& reading, Fault& fault) {
  TomlReader& table = reading.table;
  fault.instant = !table.has("octet") && !table.has("line");
  if (table.has("octet") && table.has("line")) table.complain("line", "expected only one of octet and line");
  if (table.has("passes") && !table.has("line")) table.complain("passes", "expected only together with \"line\"");
  if (table.has("nth") && !table.has("line")) table.complain("nth", "expected only together with \"line\"");
  for (const std::string_view key : {"times", "for"}) {
    if (table.has(key) && fault.instant) table.complain(key, "expected only together with \"octet\" or \"line\"");
  }
}

}  // namespace

std::vector<FaultKind> tcp_fault_kinds() {
  const std::vector<FaultKey> at_a_point = {kWith, kPort, kWay, kOctet, kLine, kNth, kPasses, kTimes, kFor};
  return {
      {"tcp.refuse", {kHost}, {kPort, kFor}},
      {"tcp.unreachable", {kHost}, {kPort, kFor}},
      {"tcp.blackhole", {kHost}, {kPort, kFor}},
      {"tcp.silent", {kHost}, {kPort, kFor}},
      {"tcp.backlog", {kHost}, {kPort, kFor}},
      {"tcp.reset", {kHost}, at_a_point, settle_cut},
      {"tcp.fin", {kHost}, at_a_point, settle_cut},
      {"tcp.half-close", {kHost}, at_a_point, settle_cut},
      {"tcp.partition", {kHost, kWith}, {kWay, kFor}},
      {"tcp.hold", {kHost}, {kWith, kWay, kFor}},
      {"tcp.zero-window", {kHost}, {kWith, kFor}},
      {"tcp.drip", {kHost}, {kWith, kWay, kRate, kFor}},
      {"tcp.bandwidth", {kHost, kBandwidth}, {kWith, kWay, kFor}},
      {"tcp.segment", {kHost, kSegment}, {kWith, kWay, kFor}},
      {"tcp.delay", {kHost, kBy}, {kWith, kWay, kJitter, kFor}},
      {"tcp.loss", {kHost, kLossShare}, {kWith, kWay, kFor}},
  };
}

}  // namespace postproof::sim
