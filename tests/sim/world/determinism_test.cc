#include "sim/recording/recording_file.h"
#include "sim/world/sim_random.h"
#include "tests/sim/world/fixture.h"

namespace postproof::sim {

namespace {

// Clients that come and go at random, a server that is cut off at random, and a disk that tears.
std::string run_at_random(std::uint64_t seed) {
  WorldSettings settings;
  settings.seed = seed;
  Fixture f(settings);
  f.b.disk().set_crash_loss(CrashLoss::torn);
  f.world.network().set_segment("a", 7);
  f.b.start([](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("0.0.0.0:25"));
    if (!listener) co_return;
    TaskGroup group(env.executor);
    std::uint64_t served = 0;
    const auto serve = [&](std::unique_ptr<Stream> stream, std::uint64_t number) -> Task<void> {
      auto random = env.entropy.stream("serve");
      const std::string name = "/" + std::to_string(random->next()) + "." + std::to_string(number);
      auto file = co_await env.disk.open(name, OpenMode::create_new);
      if (!file) co_return;
      char buffer[100];
      std::uint64_t offset = 0;
      for (;;) {
        const auto size = co_await stream->read_some(buffer, kNever);
        if (!size || *size == 0) break;
        const std::string_view octets(buffer, *size);
        const auto written = co_await (*file)->write_at(offset, octets);
        if (!written) break;
        offset += *size;
        env.events.emit(event::Command{number, event::Direction::in, octets});
        const auto answered = co_await stream->write_all("250 ok\r\n", kNever);
        if (!answered) break;
      }
    };
    for (;;) {
      auto stream = co_await (*listener)->accept();
      if (!stream) break;
      group.spawn(serve(std::move(*stream), ++served));
    }
    co_await group.join();
  });
  for (Node* node : {&f.a, &f.c}) {
    node->start([](Env& env) -> Task<void> {
      auto random = env.entropy.stream("client");
      for (int i = 0; i < 20; ++i) {
        const MonoTime until = env.clock.mono() + Duration(random->below(100'000'000));
        const Woken woken = co_await sleep_until(env, until);
        if (woken != Woken::deadline) break;
        auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, until + 1s);
        if (!stream) continue;
        const std::string line(1 + random->below(2000), 'x');
        const auto sent = co_await (*stream)->write_all(line, until + 1s);
        char buffer[1000];
        if (sent) {
          const auto size = co_await (*stream)->read_some(buffer, until + 1s);
          static_cast<void>(outcome(size));
        }
        if (random->below(3) == 0) (*stream)->reset();
      }
    });
  }
  const auto random = f.world.random("faults");
  for (int i = 0; i < 5; ++i) {
    const Duration at(random->below(1'500'000'000));
    f.world.at(at, [&] { f.b.crash(); });
    f.world.at(at + 100ms, [&] {
      if (!f.b.running()) f.b.restart();
    });
    const Duration parted(random->below(1'500'000'000));
    f.world.at(parted, [&] { f.world.network().partition("a", "b", true); });
    f.world.at(parted + 50ms, [&] { f.world.network().partition("a", "b", false); });
  }
  f.run(1h);
  f.recording.seed = seed;
  f.world.shut_down();
  return recording_to_json_lines(f.recording);
}

}  // namespace

TEST_CASE("the same seed gives the same recording, octet for octet; another gives another") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const std::string first = run_at_random(seed);
    CHECK(first.size() > 20'000);
    CHECK(first == run_at_random(seed));
    CHECK(first != run_at_random(seed + 1));
  }
}

TEST_CASE("draws are the same with every compiler and library") {
  // xoshiro256** seeded by splitmix64 from 1, as another implementation gives it.
  world::SimRandom random(1);
  std::uint64_t sum = 0;
  for (int i = 0; i < 1000; ++i) sum = sum * 31 + random.next();
  CHECK(sum == 9257503915041156067U);
}

}  // namespace postproof::sim
