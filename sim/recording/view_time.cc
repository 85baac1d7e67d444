#include "sim/recording/view_time.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <utility>

namespace postproof::sim {

std::string view_time(Duration at) {
  using namespace std::chrono;
  const auto milliseconds_all = floor<milliseconds>(at).count();
  std::string out = milliseconds_all < 0 ? "-" : "";
  const std::uint64_t total = static_cast<std::uint64_t>(milliseconds_all < 0 ? -milliseconds_all : milliseconds_all);
  const std::uint64_t seconds_all = total / 1000;
  const std::array<std::pair<std::uint64_t, char>, 3> parts = {
      {{seconds_all / 86400, 'd'}, {seconds_all / 3600 % 24, 'h'}, {seconds_all / 60 % 60, 'm'}}};
  bool begun = false;
  for (const auto& [count, unit] : parts) {
    if (!begun && count == 0) continue;
    out += begun ? fmt::format("{:02}{}", count, unit) : fmt::format("{}{}", count, unit);
    begun = true;
  }
  out += begun ? fmt::format("{:02}.{:03}s", seconds_all % 60, total % 1000)
               : fmt::format("{}.{:03}s", seconds_all, total % 1000);
  return out;
}

}  // namespace postproof::sim
