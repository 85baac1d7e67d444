// Conformance: what mta/env builds on the ports (Wakeup, sleep_until, TaskGroup, hop) holds in every world.
#include "mta/env/hop.h"
#include "tests/env/place.h"

namespace postproof::test {

namespace {

Task<void> note(Wakeup& wakeup, Deadline deadline, std::optional<Woken>& woken) {
  woken.emplace(co_await wakeup.wait(deadline));
}

Task<int> doubled(int number) { co_return 2 * number; }

}  // namespace

TEST_CASE("wakeup: a notification ends the wait, not inline; one before the wait is kept, once") {
  const auto place = make_place();
  place->run([](Env& env) -> Task<void> {
    Wakeup wakeup(env);
    TaskGroup group(env.executor);
    std::optional<Woken> woken;
    group.spawn(note(wakeup, kNever, woken));
    co_await sleep_for(env, 5ms);
    CHECK(!woken.has_value());
    wakeup.notify();
    CHECK(!woken.has_value());
    co_await group.join();
    CHECK(woken == Woken::notified);

    wakeup.notify();
    wakeup.notify();
    const Woken kept = co_await not_inline(env, wakeup.wait(kNever));
    CHECK(kept == Woken::notified);
    const MonoTime deadline = env.clock.mono() + 10ms;
    const Woken after = co_await wakeup.wait(deadline);
    CHECK(after == Woken::deadline);
    CHECK(env.clock.mono() >= deadline);
  });
}

TEST_CASE("wakeup: a notification beats the deadline, and the deadline does not strike later") {
  const auto place = make_place();
  place->run([](Env& env) -> Task<void> {
    Wakeup wakeup(env);
    wakeup.notify();
    const Woken first = co_await wakeup.wait(env.clock.mono() + 5ms);
    CHECK(first == Woken::notified);
    const Woken second = co_await wakeup.wait(env.clock.mono() + 30ms);
    CHECK(second == Woken::deadline);
  });
}

TEST_CASE("task group: spawn is not inline; join waits for all, those that are spawned meanwhile too") {
  const auto place = make_place();
  place->run([](Env& env) -> Task<void> {
    TaskGroup group(env.executor);
    int ended = 0;
    const auto work = [&](Duration time) -> Task<void> {
      co_await sleep_for(env, time);
      ++ended;
    };
    const auto parent = [&]() -> Task<void> {
      co_await sleep_for(env, 5ms);
      group.spawn(work(20ms));
      ++ended;
    };
    group.spawn(parent());
    group.spawn(work(10ms));
    group.spawn(work(0ms));
    CHECK(ended == 0);
    CHECK(group.size() == 3);
    co_await group.join();
    CHECK(ended == 4);
    CHECK(group.size() == 0);
    co_await group.join();  // of none
    group.spawn(work(1ms));
    co_await group.join();
    CHECK(ended == 5);
  });
}

TEST_CASE("hop: brings the result back to the caller's executor") {
  const auto place = make_place();
  std::optional<Executor> elsewhere;
  bool done = false;
  place->run(
      [&](Env& env) -> Task<void> {
        while (!elsewhere) co_await sleep_for(env, 1ms);
        const int there = co_await hop(*elsewhere, doubled(21));
        CHECK(there == 42);
        const Executor here = co_await boost::asio::this_coro::executor;
        CHECK((here == env.executor));
        const int same = co_await hop(env.executor, doubled(4));
        CHECK(same == 8);
        done = true;
      },
      [&](Env& env) -> Task<void> {
        elsewhere = env.executor;
        while (!done) co_await sleep_for(env, 1ms);
      });
}

}  // namespace postproof::test
