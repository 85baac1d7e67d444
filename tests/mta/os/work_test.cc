// Heavy work runs beside its loop, and beside the file operations.
#include "mta/env/work.h"

#include <doctest/doctest.h>

#include <semaphore>

#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "mta/os/loop.h"
#include "tests/mta/os/no_events.h"

namespace postproof::os {
namespace {

TEST_CASE("work: the loop goes on while a job runs, and a file can be looked at") {
  NoEvents events;
  Workers workers(1, 1);
  Loop loop(events, workers);
  std::binary_semaphore released(0);
  bool ran = false;
  const auto job_task = [&](Env& env) -> Task<void> {
    Work::Job job = [&] {
      released.acquire();
      ran = true;
    };
    const Result<void> done = co_await env.work.run(std::move(job));
    CHECK(done.has_value());
  };
  const auto task = [&](Env& env) -> Task<void> {
    TaskGroup group(env.executor);
    group.spawn(job_task(env));
    co_await sleep_until(env, env.clock.mono() + 1ms);
    const auto free = co_await env.disk.free_bytes("/");
    CHECK(free.has_value());
    CHECK(!ran);
    released.release();
    co_await group.join();
    CHECK(ran);
  };
  loop.run(task(loop.env()));
}

}  // namespace
}  // namespace postproof::os
