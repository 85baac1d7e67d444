// What an exploration draws at random. All of it comes from one seed, and so do equal explorations equal each other.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "mta/base/time.h"
#include "sim/world/sim_random.h"

namespace postproof::sim {

class Draw {
 public:
  // Streams of different names draw independently.
  Draw(std::uint64_t seed, std::string_view stream)
      : random_(world::SimEntropy(seed, "explore", 0).stream(stream)) {}

  std::uint64_t below(std::uint64_t bound) { return random_->below(bound); }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + below(most - least + 1); }
  bool chance(unsigned percent) { return below(100) < percent; }

  // As often between 1 and 2 as between 1000 and 2000: small values matter as much as great ones. `least` over 0.
  std::uint64_t log_between(std::uint64_t least, std::uint64_t most) {
    const std::uint64_t low = least << below(std::bit_width(most / least));
    const std::uint64_t high = low > most / 2 ? most : 2 * low - 1;
    return between(low, std::max(low, high));
  }
  // In whole milliseconds below a minute, in whole seconds above.
  Duration time(Duration least, Duration most) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    const auto ms = [](Duration duration) { return static_cast<std::uint64_t>(duration_cast<milliseconds>(duration).count()); };
    const milliseconds drawn{log_between(ms(least), ms(most))};
    return drawn < std::chrono::minutes{1} ? Duration{drawn} : Duration{duration_cast<std::chrono::seconds>(drawn)};
  }

  template <class T>
  const T& pick(const std::vector<T>& list) {
    return list[below(list.size())];
  }

 private:
  std::unique_ptr<Random> random_;
};

}  // namespace postproof::sim
