#include "mta/base/time.h"
#include "sim/scenario/fault_keys.h"

namespace postproof::sim {

namespace {

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

constexpr FaultKey kStep{"by", read_step};

}  // namespace

std::vector<FaultKind> clock_fault_kinds() {
  return {
      {"clock.step", {kMta, kStep}, {}},
  };
}

}  // namespace postproof::sim
