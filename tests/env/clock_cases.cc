// Conformance: timers (env/clock.h).
#include "tests/env/place.h"

namespace postproof::test {

TEST_CASE("clock: timers fire at their time, those of one moment in the order in which they were set") {
  const auto place = make_place();
  std::vector<int> fired;
  place->run([&](Env& env) -> Task<void> {
    const MonoTime start = env.clock.mono();
    const auto set = [&](Duration after, int number) {
      env.clock.call_at(start + after, [&fired, &env, start, after, number](bool alive) {
        CHECK(alive);
        CHECK(env.clock.mono() >= start + after);
        fired.push_back(number);
      });
    };
    set(30ms, 6);
    set(10ms, 1);
    set(20ms, 4);
    set(10ms, 2);
    set(20ms, 5);
    set(10ms, 3);
    CHECK(fired.empty());
    co_await sleep_for(env, 60ms);
  });
  CHECK(fired == std::vector<int>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("clock: a time that has passed fires soon, and not within call_at") {
  const auto place = make_place();
  place->run([](Env& env) -> Task<void> {
    int fired = 0;
    env.clock.call_at(env.clock.mono() - 1h, [&](bool alive) {
      CHECK(alive);
      ++fired;
    });
    env.clock.call_at(env.clock.mono(), [&](bool) { ++fired; });
    CHECK(fired == 0);
    co_await sleep_for(env, 5ms);
    CHECK(fired == 2);
  });
}

TEST_CASE("clock: a cancelled timer is not called, and is told from one that was") {
  const auto place = make_place();
  place->run([](Env& env) -> Task<void> {
    int fired = 0;
    const auto dropped = env.clock.call_at(env.clock.mono() + 5ms, [&](bool) { fired += 100; });
    const auto kept = env.clock.call_at(env.clock.mono() + 5ms, [&](bool) { ++fired; });
    const auto never = env.clock.call_at(kNever, [&](bool) { fired += 100; });
    CHECK(dropped != 0);
    CHECK(dropped != kept);
    CHECK(env.clock.cancel(dropped));
    CHECK(!env.clock.cancel(dropped));
    co_await sleep_for(env, 20ms);
    CHECK(fired == 1);
    CHECK(!env.clock.cancel(kept));
    CHECK(env.clock.cancel(never));
    CHECK(!env.clock.cancel(never));
    CHECK(!env.clock.cancel(0));
    co_await sleep_for(env, 5ms);
    CHECK(fired == 1);
  });
}

TEST_CASE("clock: a callback may cancel one of its own moment, and may set another") {
  const auto place = make_place();
  place->run([](Env& env) -> Task<void> {
    int fired = 0;
    Clock::TimerId second = 0;
    const MonoTime when = env.clock.mono() + 5ms;
    env.clock.call_at(when, [&](bool) {
      CHECK(env.clock.cancel(second));
      env.clock.call_at(when, [&](bool) { ++fired; });
      CHECK(fired == 0);
    });
    second = env.clock.call_at(when, [&](bool) { fired += 100; });
    co_await sleep_for(env, 20ms);
    CHECK(fired == 1);
  });
}

TEST_CASE("clock: an earlier timer that is set later fires earlier") {
  const auto place = make_place();
  std::vector<int> fired;
  place->run([&](Env& env) -> Task<void> {
    env.clock.call_at(env.clock.mono() + 40ms, [&](bool) { fired.push_back(2); });
    const auto dropped = env.clock.call_at(env.clock.mono() + 10ms, [&](bool) { fired.push_back(0); });
    env.clock.cancel(dropped);
    env.clock.call_at(env.clock.mono() + 20ms, [&](bool) { fired.push_back(1); });
    co_await sleep_for(env, 60ms);
  });
  CHECK(fired == std::vector<int>{1, 2});
}

TEST_CASE("clock: monotonic time does not go back, and wall time goes along") {
  const auto place = make_place();
  place->run([](Env& env) -> Task<void> {
    const MonoTime mono = env.clock.mono();
    const WallTime wall = env.clock.now();
    CHECK(env.clock.mono() >= mono);
    co_await sleep_for(env, 10ms);
    CHECK(env.clock.mono() >= mono + 10ms);
    CHECK(env.clock.now() >= wall + 9ms);
    CHECK(wall > WallTime{} + 365 * 24h * 50);
  });
}

}  // namespace postproof::test
