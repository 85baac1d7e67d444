// Waiting, over a clock that is moved by hand.
#include "mta/env/wakeup.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>

#include "mta/base/check.h"
#include "mta/env/task_group.h"

namespace postproof {
namespace {

namespace asio = boost::asio;

class HandClock final : public Clock {
 public:
  WallTime now() const override { return {}; }
  MonoTime mono() const override { return time_; }
  TimerId call_at(MonoTime when, Callback callback) override {
    timers_.emplace(++last_, Timer{when, std::move(callback)});
    return last_;
  }
  bool cancel(TimerId timer) override { return timers_.erase(timer) != 0; }

  void move_to(MonoTime time) {
    time_ = time;
    fire([time](const Timer& timer) { return timer.when <= time; }, true);
  }
  void end() {
    fire([](const Timer&) { return true; }, false);
  }
  std::size_t standing() const { return timers_.size(); }

 private:
  struct Timer {
    MonoTime when;
    Callback callback;
  };
  void fire(auto due, bool alive) {
    for (;;) {
      const auto at =
          std::find_if(timers_.begin(), timers_.end(), [&](const auto& entry) { return due(entry.second); });
      if (at == timers_.end()) return;
      Callback callback = std::move(at->second.callback);
      timers_.erase(at);
      callback(alive);
    }
  }

  MonoTime time_{};
  TimerId last_ = 0;
  std::map<TimerId, Timer> timers_;
};

struct NoNetwork final : Network {
  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint, std::optional<IpAddress>, Deadline) override { std::abort(); }
  Result<std::unique_ptr<Listener>> listen(const Endpoint&) override { std::abort(); }
  Result<std::unique_ptr<Datagram>> open_datagram(const Endpoint&) override { std::abort(); }
};
struct NoDisk final : Disk {
  Task<Result<std::unique_ptr<File>>> open(std::string, OpenMode) override { std::abort(); }
  Task<Result<void>> rename(std::string, std::string) override { std::abort(); }
  Task<Result<void>> link(std::string, std::string) override { std::abort(); }
  Task<Result<void>> unlink(std::string) override { std::abort(); }
  Task<Result<void>> mkdir(std::string) override { std::abort(); }
  Task<Result<std::vector<std::string>>> list(std::string) override { std::abort(); }
  Task<Result<void>> sync_dir(std::string) override { std::abort(); }
  Task<Result<std::uint64_t>> free_bytes(std::string) override { std::abort(); }
  Task<Result<std::unique_ptr<DiskLock>>> lock(std::string) override { std::abort(); }
  Task<Result<bool>> is_locked(std::string) override { std::abort(); }
};
struct NoEntropy final : Entropy {
  std::unique_ptr<Random> stream(std::string_view) override { std::abort(); }
};
struct NoWork final : Work {
  Task<Result<void>> run(Job) override { std::abort(); }
};
struct NoEvents final : EventSink {
  void emit(const Event&) override {}
};

struct Fixture {
  asio::io_context context{1};
  HandClock clock;
  NoNetwork network;
  NoDisk disk;
  NoEntropy entropy;
  NoEvents events;
  ProcessTls tls;
  NoWork work;
  Env env{context.get_executor(), clock, network, disk, entropy, events, tls, work};
  TaskGroup group{env.executor};
  Wakeup wakeup{env};
  std::optional<Woken> woken;

  void wait(Deadline deadline) {
    woken.reset();
    group.spawn(waiting(deadline));
    turn();
  }
  void turn() {
    context.restart();
    context.poll();  // run() would wait for the coroutine that waits
  }

 private:
  Task<void> waiting(Deadline deadline) { woken.emplace(co_await wakeup.wait(deadline)); }
};

TEST_CASE_FIXTURE(Fixture, "wakeup: what ends the wait, and that nothing of it is left") {
  SUBCASE("a notification") {
    wait(MonoTime{} + 5s);
    CHECK(!woken.has_value());
    wakeup.notify();
    CHECK(!woken.has_value());  // not within notify()
    turn();
    CHECK(woken == Woken::notified);
  }
  SUBCASE("the deadline") {
    wait(MonoTime{} + 5s);
    clock.move_to(MonoTime{} + 4s);
    turn();
    CHECK(!woken.has_value());
    clock.move_to(MonoTime{} + 5s);
    CHECK(!woken.has_value());  // not within the timer
    turn();
    CHECK(woken == Woken::deadline);
  }
  SUBCASE("the end of the world") {
    wait(kNever);
    clock.end();
    turn();
    CHECK(woken == Woken::closed);
  }
  SUBCASE("a notification from before, of several one") {
    wakeup.notify();
    wakeup.notify();
    wait(MonoTime{} + 5s);
    CHECK(woken == Woken::notified);
    wait(MonoTime{} + 5s);
    CHECK(!woken.has_value());
    clock.move_to(MonoTime{} + 5s);
    turn();
    CHECK(woken == Woken::deadline);
  }
  SUBCASE("a second notification behind the one that ended it is kept") {
    wait(kNever);
    wakeup.notify();
    wakeup.notify();
    turn();
    CHECK(woken == Woken::notified);
    wait(kNever);
    CHECK(woken == Woken::notified);
  }
  SUBCASE("a notification in the same turn as the deadline: the deadline has won, the notification is kept") {
    wait(MonoTime{} + 5s);
    clock.move_to(MonoTime{} + 5s);
    wakeup.notify();
    turn();
    CHECK(woken == Woken::deadline);
    wait(kNever);
    CHECK(woken == Woken::notified);
  }
  CHECK(group.size() == 0);
  CHECK(clock.standing() == 0);
}

TEST_CASE_FIXTURE(Fixture, "sleep_until: deadline, or the end of the world") {
  const auto sleep = [&](MonoTime when) -> Task<void> { woken.emplace(co_await sleep_until(env, when)); };
  group.spawn(sleep(MonoTime{} + 1s));
  turn();
  CHECK(!woken.has_value());
  clock.move_to(MonoTime{} + 1s);
  turn();
  CHECK(woken == Woken::deadline);
  woken.reset();
  group.spawn(sleep(kNever));
  turn();
  clock.end();
  turn();
  CHECK(woken == Woken::closed);
}

}  // namespace
}  // namespace postproof
