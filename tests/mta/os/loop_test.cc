// Threads, their ends, and signals.
#include "mta/os/loop.h"

#include <doctest/doctest.h>

#include <csignal>
#include <vector>

#include "mta/env/hop.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "tests/mta/os/no_events.h"

namespace postproof::os {
namespace {

const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");

TEST_CASE("loop: runs a task to its end and gives its result") {
  NoEvents events;
  Workers workers(1);
  Loop loop(events, workers);
  const auto task = [](Env& env) -> Task<std::string> {
    co_await sleep_until(env, env.clock.mono() + 1ms);
    co_return "done";
  };
  CHECK(loop.run(task(loop.env())) == "done");
}

TEST_CASE("loop: one that never ran, or whose sockets outlive its run, ends cleanly") {
  NoEvents events;
  Workers workers(1);
  { const Loop never(events, workers); }
  Loop loop(events, workers);
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> near, far;
  const auto task = [&](Env& env) -> Task<void> {
    auto listening = env.network.listen(Endpoint(kLoopback, 0));
    REQUIRE(listening.has_value());
    listener = std::move(*listening);
    auto connected = co_await env.network.connect(listener->local(), std::nullopt, kNever);
    REQUIRE(connected.has_value());
    near = std::move(*connected);
    auto accepted = co_await listener->accept();
    REQUIRE(accepted.has_value());
    far = std::move(*accepted);
  };
  loop.run(task(loop.env()));
  near.reset();
  far.reset();
  listener.reset();
}

TEST_CASE("loop: stopping ends every wait, with closed, and its timers with alive = false") {
  NoEvents events;
  Workers workers(1);
  Loop loop(events, workers);
  Env& env = loop.env();
  int ended = 0;
  bool alive_seen = true;
  const auto accepting = [&]() -> Task<void> {
    auto listener = env.network.listen(Endpoint(kLoopback, 0));
    REQUIRE(listener.has_value());
    const auto stream = co_await (*listener)->accept();
    CHECK(stream.error().code == Errc::closed);
    const auto later = env.network.listen(Endpoint(kLoopback, 0));
    CHECK(later.error().code == Errc::closed);
    ++ended;
  };
  const auto reading = [&]() -> Task<void> {
    auto listener = env.network.listen(Endpoint(kLoopback, 0));
    REQUIRE(listener.has_value());
    auto near = co_await env.network.connect((*listener)->local(), std::nullopt, kNever);
    REQUIRE(near.has_value());
    char octet;
    const auto got = co_await (*near)->read_some(std::span(&octet, 1), kNever);
    CHECK(got.error().code == Errc::closed);
    const auto again = co_await env.network.connect((*listener)->local(), std::nullopt, kNever);
    CHECK(again.error().code == Errc::closed);
    ++ended;
  };
  const auto receiving = [&]() -> Task<void> {
    auto socket = env.network.open_datagram(Endpoint(kLoopback, 0));
    REQUIRE(socket.has_value());
    char octet;
    const auto got = co_await (*socket)->receive(std::span(&octet, 1), kNever);
    CHECK(got.error().code == Errc::closed);
    ++ended;
  };
  const auto sleeping = [&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      const Woken woken = co_await sleep_until(env, env.clock.mono() + 1h);
      CHECK(woken == Woken::closed);
    }
    ++ended;
  };
  TaskGroup group(env.executor);
  group.spawn(accepting());
  group.spawn(reading());
  group.spawn(receiving());
  group.spawn(sleeping());
  env.clock.call_at(kNever, [&](bool alive) { alive_seen = alive; });
  env.clock.call_at(env.clock.mono() + 20ms, [&](bool) { loop.stop(); });
  loop.run();
  CHECK(ended == 4);
  CHECK(group.size() == 0);
  CHECK(!alive_seen);
}

TEST_CASE("loop threads: calls cross between them and come back") {
  NoEvents events;
  Workers workers(2);
  Loop loop(events, workers);
  std::vector<std::unique_ptr<LoopThread>> threads;
  for (int i = 0; i < 3; ++i) threads.push_back(std::make_unique<LoopThread>(events, workers, "session"));
  const auto there = [](Env& env, int number) -> Task<std::string> {
    co_await sleep_until(env, env.clock.mono() + 1ms);
    co_return std::string(static_cast<std::size_t>(number), 'x');
  };
  const auto one = [&](int number) -> Task<void> {
    Env& target = threads[static_cast<std::size_t>(number) % threads.size()]->env();
    for (int i = 0; i < 20; ++i) {
      const std::string got = co_await hop(target.executor, there(target, number));
      CHECK(got.size() == static_cast<std::size_t>(number));
    }
  };
  const auto all = [&]() -> Task<void> {
    TaskGroup group(loop.env().executor);
    for (int i = 0; i < 30; ++i) group.spawn(one(i));
    co_await group.join();
  };
  loop.run(all());
}

TEST_CASE("loop thread: its end ends what runs on it") {
  NoEvents events;
  Workers workers(1);
  std::optional<Woken> woken;
  {
    LoopThread thread(events, workers, "session");
    TaskGroup group(thread.env().executor);
    const auto sleep = [](Env& env, std::optional<Woken>& result) -> Task<void> {
      result.emplace(co_await sleep_until(env, kNever));
    };
    Loop loop(events, workers);
    const auto start = [&]() -> Task<void> {
      group.spawn(sleep(thread.env(), woken));
      co_return;
    };
    loop.run(hop(thread.env().executor, start()));
    thread.join();
  }
  CHECK(woken == Woken::closed);
}

TEST_CASE("loop: signals arrive on it, one after the other; a broken pipe does not kill") {
  NoEvents events;
  Workers workers(1);
  Loop loop(events, workers);
  std::vector<Signal> seen;
  loop.on_signal([&](Signal signal) {
    seen.push_back(signal);
    if (seen.size() < 3) raise(seen.size() == 1 ? SIGTERM : SIGINT);
    if (seen.size() == 3) loop.stop();
  });
  raise(SIGPIPE);
  raise(SIGHUP);
  loop.run();
  CHECK(seen == std::vector<Signal>{Signal::reload, Signal::terminate, Signal::terminate});
}

TEST_CASE("clock: the operating system's clocks, and draws that differ") {
  NoEvents events;
  Workers workers(1);
  Loop loop(events, workers);
  const auto random = loop.env().entropy.stream("test");
  std::vector<std::uint64_t> draws;
  for (int i = 0; i < 100; ++i) draws.push_back(random->next());
  std::sort(draws.begin(), draws.end());
  CHECK(std::adjacent_find(draws.begin(), draws.end()) == draws.end());
}

}  // namespace
}  // namespace postproof::os
