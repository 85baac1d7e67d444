// Heavy work as a node of the simulation sees it: it costs virtual time, one job after the other, and is done at the
// end of it.
#pragma once

#include "mta/base/time.h"
#include "mta/env/work.h"

namespace postproof::sim::world {

class Life;

class SimWork final : public Work {
 public:
  explicit SimWork(Life& life) : life_(life) {}

  Task<Result<void>> run(Job job) override;

 private:
  Life& life_;
  MonoTime busy_until_ = MonoTime::min();
};

}  // namespace postproof::sim::world
