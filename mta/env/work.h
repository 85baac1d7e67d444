// Work that is too heavy for an event loop, or that blocks: a password hash takes tens of milliseconds, in which
// nobody else would be served.
#pragma once

#include <functional>

#include "mta/base/result.h"
#include "mta/env/task.h"

namespace postproof {

class Work {
 public:
  using Job = std::move_only_function<void()>;

  virtual ~Work() = default;

  // Runs the job where it holds up nobody, and returns when it has run; never inline. Only so many jobs run at once, so
  // that a flood of them does not take the machine; the others wait, in their order. The job uses no port of Env, and
  // what it refers to lives until the call ends. Errc::closed: the world goes away, and the job has not run.
  virtual Task<Result<void>> run(Job job) = 0;
};

}  // namespace postproof
