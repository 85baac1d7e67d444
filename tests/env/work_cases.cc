// Conformance: heavy work (env/work.h).
#include "tests/env/place.h"

namespace postproof::test {

TEST_CASE("work: a job has run when the call ends, which is not inline") {
  const auto place = make_place();
  place->run([](Env& env) -> Task<void> {
    int ran = 0;
    Work::Job job = [&ran] { ++ran; };
    const Result<void> done = co_await not_inline(env, env.work.run(std::move(job)));
    good(done);
    CHECK(ran == 1);
  });
}

TEST_CASE("work: jobs that wait behind each other are all done, each once") {
  const auto place = make_place();
  place->run([](Env& env) -> Task<void> {
    constexpr std::size_t kJobs = 20;
    std::vector<int> ran(kJobs);
    std::vector<std::optional<Result<void>>> results(kJobs);
    TaskGroup group(env.executor);
    for (std::size_t i = 0; i < kJobs; ++i) {
      Work::Job job = [&ran, i] { ++ran[i]; };
      group.spawn(keep(env.work.run(std::move(job)), results[i]));
    }
    CHECK(ran == std::vector<int>(kJobs));
    co_await group.join();
    CHECK(ran == std::vector<int>(kJobs, 1));
    for (const auto& result : results) good(*result);
  });
}

}  // namespace postproof::test
