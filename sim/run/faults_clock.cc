// The faults of the layer clock: all of a host's wall clock. Its monotonic clock is the world's time.
#include <fmt/format.h>

#include "sim/run/faults.h"

namespace postproof::sim {

void Faults::begin_clock(const Fault& fault, std::uint32_t line) {
  MtaActor* actor = cast_.mta(fault.host);
  if (actor == nullptr) return;
  Node& node = *actor->node;
  if (fault.kind == "clock.drift") {
    tell(fault, line, fmt::format("begins: {} ppm", fault.ppm));
    node.set_clock_drift(fault.ppm);
    return end_later(fault, line, [&node] { node.set_clock_drift(0); });
  }
  if (fault.kind == "clock.freeze") {
    tell(fault, line, "begins");
    node.freeze_clock(true);
    return end_later(fault, line, [&node] { node.freeze_clock(false); });
  }
  const Duration by = fault.to ? *fault.to - node.wall_clock() : fault.by;
  tell(fault, line,
       fmt::format("{} by {}", by < Duration{0} ? "back" : "forward", format_duration(by < Duration{0} ? -by : by)));
  node.move_clock(by);
}

}  // namespace postproof::sim
