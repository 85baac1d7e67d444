// How far a host's wall clock is off: by how much, how fast that grows, or that it stands still.
#pragma once

#include <cstdint>
#include <optional>

#include "mta/base/time.h"

namespace postproof::sim::world {

class HostClock {
 public:
  // `now` is the world's virtual time, `start` the wall time of its beginning.
  WallTime wall(WallTime start, Duration now) const {
    if (frozen_) return start + *frozen_;
    return start + now + offset_at(now);
  }

  void set_offset(Duration offset, Duration now) {
    offset_ = offset;
    since_ = now;
    if (frozen_) frozen_ = now + offset;
  }
  void move(Duration by, Duration now) {
    offset_ = offset_at(now) + by;
    since_ = now;
    if (frozen_) *frozen_ += by;
  }
  // In millionths: 100 gains 8.64 s a day.
  void set_drift(std::int64_t ppm, Duration now) {
    move(Duration{0}, now);
    ppm_ = ppm;
  }
  // When it goes on, it does so from where it stood.
  void freeze(bool still, Duration now) {
    if (still && !frozen_) {
      frozen_ = now + offset_at(now);
    } else if (!still && frozen_) {
      offset_ = *frozen_ - now;
      since_ = now;
      frozen_.reset();
    }
  }

 private:
  Duration offset_at(Duration now) const {
    if (ppm_ == 0) return offset_;
    const Duration passed = now - since_;
    const Duration::rep millions = passed.count() / 1'000'000;
    const Duration::rep rest = passed.count() % 1'000'000;
    return offset_ + Duration(millions * ppm_ + rest * ppm_ / 1'000'000);
  }

  Duration offset_{0};  // at `since`
  Duration since_{0};
  std::int64_t ppm_ = 0;
  std::optional<Duration> frozen_;  // what it shows, since the world's start
};

}  // namespace postproof::sim::world
