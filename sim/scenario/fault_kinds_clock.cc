#include <toml++/toml.h>

#include "mta/base/time.h"
#include "sim/scenario/fault_keys.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

// More than any clock is off: 10 %.
constexpr std::int64_t kPpmMax = 100'000;

// "1h", or "-1h" for a step back.
void read_step(const FaultReading& reading, Fault& fault) {
  const auto text = reading.table.string("by");
  if (!text) return;
  const bool back = text->starts_with('-');
  const auto step = parse_duration(std::string_view(*text).substr(back ? 1 : 0));
  if (!step || *step == Duration{0}) {
    reading.table.complain("by", "expected how far the clock is moved, like \"1h\", or \"-1h\" for back");
    return;
  }
  fault.by = back ? -*step : *step;
}

void read_to(const FaultReading& reading, Fault& fault) { fault.to = read_wall_time(reading.table, "to"); }

void read_ppm(const FaultReading& reading, Fault& fault) {
  fault.ppm = reading.table.integer("ppm", -kPpmMax, kPpmMax).value_or(0);
}

constexpr FaultKey kStep{"by", read_step};
constexpr FaultKey kTo{"to", read_to};
constexpr FaultKey kPpm{"ppm", read_ppm};

}  // namespace

std::vector<FaultKind> clock_fault_kinds() {
  return {
      {"clock.step", {kMta, kStep}, {}},
      {"clock.set", {kMta, kTo}, {}},
      {"clock.drift", {kMta, kPpm}, {kFor}},
      {"clock.freeze", {kMta}, {kFor}},
  };
}

}  // namespace postproof::sim
