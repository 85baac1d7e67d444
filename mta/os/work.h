// Heavy work on the worker threads that are kept for it.
#pragma once

#include "mta/env/work.h"
#include "mta/os/core.h"

namespace postproof::os {

class OsWork final : public Work {
 public:
  explicit OsWork(Core& core) : core_(core) {}

  Task<Result<void>> run(Job job) override;

 private:
  Core& core_;
};

}  // namespace postproof::os
