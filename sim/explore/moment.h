// When something should happen to hurt: close behind what a scenario does, around first retries, or at any time.
#pragma once

#include "sim/explore/draw.h"
#include "sim/explore/target.h"

namespace postproof::sim {

inline Duration draw_moment(const Target& target, Draw& draw) {
  using namespace std::chrono_literals;
  const Duration near = draw.pick(target.moments);
  const std::uint64_t part = draw.below(100);
  if (part < 10) return Duration{0};
  if (part < 60) return near + draw.time(1ms, 2s);
  if (part < 80) return near + draw.pick(std::vector<Duration>{5min, 15min, 45min, 105min}) + draw.time(1ms, 2s);
  return draw.time(1ms, 48h);
}

}  // namespace postproof::sim
