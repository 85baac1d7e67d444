// The scheduler over the simulated world, with a spool on a disk and deliveries that do as they are told.
#include "mta/queue/scheduler.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "tests/mta/queue/spool_world.h"

using namespace postproof;
using namespace postproof::queue;
using namespace postproof::queue::test;

namespace {

// What a delivery does to each recipient, and how long it takes.
struct Deed {
  Deed(Stage at_stage, int reply_code, Duration time = 0s) : stage(at_stage), code(reply_code), takes(time) {}
  Stage stage;
  int code;
  Duration takes;
};
const Deed kTaken(Stage::dot, 250);
const Deed kHostDown(Stage::greeting, 421);
const Deed kGreylisted(Stage::rcpt, 450);

struct Delivery {
  Duration at{};
  std::string site;
  MessageId message;
  std::vector<std::size_t> recipients;
  std::vector<std::uint32_t> attempts;
};

class FakeDispatcher final : public Dispatcher {
 public:
  FakeDispatcher(Env& env, Spool& spool) : env_(env), spool_(spool) {}

  Task<void> open_lane(std::shared_ptr<const route::Site> site, LegSource& source) override {
    ++lanes;
    lanes_max = std::max(lanes_max, lanes);
    for (bool good = true; good;) {
      auto leg = co_await source.next();
      if (!leg) break;
      Delivery delivery;
      delivery.at = env_.clock.mono().time_since_epoch();
      delivery.site = site->key;
      delivery.message = leg->message->id;
      delivery.recipients = leg->recipients;
      delivery.attempts = leg->attempts;
      deliveries.push_back(std::move(delivery));
      const Deed deed = deeds(*leg);
      if (deed.takes > 0s) {
        const Woken woken = co_await sleep_until(env_, env_.clock.mono() + deed.takes);
        if (woken == Woken::closed) break;
      }
      good = deed.code < 400;
      std::vector<AttemptResult> results(leg->recipients.size(), result(deed.stage, deed.code, "told"));
      co_await settle(std::move(*leg), std::move(results));
    }
    --lanes;
  }

  Task<void> settle(Leg leg, std::vector<AttemptResult> results) override {
    if (!leg.site) {
      failures.push_back(env_.clock.mono().time_since_epoch());
      last_failure = results.front();
    }
    std::vector<Progress> progress;
    bool succeeded = false;
    for (std::size_t i = 0; i < results.size(); ++i) {
      Progress one;
      one.attempts = leg.attempts[i];
      const auto* reply = std::get_if<smtp::Reply>(&results[i].what);
      if (reply != nullptr && reply->positive()) {
        one.status = RecipientStatus::delivered;
        succeeded = true;
      } else {
        const auto next = co_await scheduler->retry_at(leg.message, one.attempts, leg.started, leg.age);
        one.status = next ? RecipientStatus::pending : RecipientStatus::expired;
        if (next) one.due = *next;
      }
      one.last = std::move(results[i]);
      progress.push_back(std::move(one));
    }
    std::vector<ProgressUpdate> updates;
    for (std::size_t i = 0; i < progress.size(); ++i) updates.push_back(ProgressUpdate{leg.recipients[i], progress[i]});
    const auto recorded = co_await spool_.record(leg.message->id, std::move(updates), std::nullopt, Durability::soon);
    if (!recorded && recorded.error().code == Errc::closed) co_return;
    CHECK(recorded);
    co_await scheduler->requeue(std::move(leg), std::move(progress), succeeded);
  }

  Scheduler* scheduler = nullptr;
  std::function<Deed(const Leg&)> deeds = [](const Leg&) { return kTaken; };
  std::vector<Delivery> deliveries;
  std::vector<Duration> failures;  // of routing
  std::optional<AttemptResult> last_failure;
  unsigned lanes = 0;
  unsigned lanes_max = 0;

 private:
  Env& env_;
  Spool& spool_;
};

// Starts at the first delivery of the message.
std::vector<Duration> times(const std::vector<Delivery>& deliveries, MessageId id) {
  std::vector<Duration> all;
  std::optional<Duration> first;
  for (const Delivery& delivery : deliveries) {
    if (delivery.message != id) continue;
    if (!first) first = delivery.at;
    all.push_back(delivery.at - *first);
  }
  return all;
}

// Close enough for events, disk and lanes: 100 ms.
bool near(const std::vector<Duration>& times, const std::vector<Duration>& wanted) {
  for (std::size_t i = 0; i < std::min(times.size(), wanted.size()); ++i) {
    if (times[i] >= wanted[i] && times[i] <= wanted[i] + 100ms) continue;
    MESSAGE("number " << i << " is at " << format_duration(times[i]) << " instead of " << format_duration(wanted[i]));
    return false;
  }
  if (times.size() != wanted.size()) MESSAGE(times.size() << " instead of " << wanted.size());
  return times.size() == wanted.size();
}

class SchedulerWorld : public SpoolWorld {
 public:
  explicit SchedulerWorld(std::uint64_t seed = 1) : SpoolWorld(seed) {
    router.hostname = "mta.example";
    route::Smarthost smarthost;
    smarthost.host = "[192.0.2.1]";
    router.smarthost = smarthost;
    scheduling.retry.jitter = 0;
    resolving.servers.push_back(Endpoint(*IpAddress::parse("192.0.2.53"), 53));
    node.on_event([this](const Event& event) {
      if (const auto* attempt = std::get_if<event::Attempt>(&event)) {
        attempts.push_back(fmt::format("{} {} {}", attempt->recipient, attempt->number, attempt->site));
      }
    });
  }

  struct Parts {
    Env& env;
    JournalSpool& spool;
    Scheduler& scheduler;
    FakeDispatcher& dispatcher;
    Task<MessageId> submit() { return submit(envelope()); }
    Task<MessageId> submit(Envelope to) {
      auto writer = co_await spool.begin();
      const auto stored = co_await (*writer)->commit(std::move(to), std::string(kHeader), env.clock.now());
      REQUIRE(stored);
      scheduler.add(*stored);
      co_return (*stored)->id;
    }
    Task<void> sleep(Duration duration) { static_cast<void>(co_await sleep_until(env, env.clock.mono() + duration)); }
    // Until the queue is empty, or so long.
    Task<void> drain(Duration limit = 200h) {
      const MonoTime end = env.clock.mono() + limit;
      do {
        co_await sleep(1min);
      } while (scheduler.size() > 0 && env.clock.mono() < end);
    }
  };

  // One life; the scheduler is stopped when `body` ends.
  bool live(std::function<Task<void>(Parts&)> body) {
    node.start([this, body = std::move(body)](Env& env) -> Task<void> {
      auto opened = co_await JournalSpool::open(env, settings);
      REQUIRE(opened);
      dns::Resolver resolver(env, resolving);
      route::Router routes(env, resolver, router);
      FakeDispatcher dispatcher(env, **opened);
      Scheduler scheduler(env, **opened, routes, dispatcher, scheduling);
      dispatcher.scheduler = &scheduler;
      TaskGroup group(env.executor);
      group.spawn(scheduler.run());
      Parts parts{env, **opened, scheduler, dispatcher};
      co_await body(parts);
      scheduler.stop();
      co_await group.join();
      co_await resolver.close();
      co_await (*opened)->close();
    });
    const auto stopped = world.run(world.now() + 1000h, [this] { return !node.running(); });
    CHECK(stopped == sim::World::Stopped::finished);
    return !crashed;
  }

  route::RouterSettings router;
  dns::ResolverSettings resolving;
  SchedulerSettings scheduling;
  std::vector<std::string> attempts;
};

}  // namespace

TEST_CASE("scheduler: a message is delivered at once, and leaves") {
  SchedulerWorld queue;
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    const MessageId id = co_await parts.submit();
    co_await parts.sleep(1s);
    REQUIRE(parts.dispatcher.deliveries.size() == 1);
    CHECK(parts.dispatcher.deliveries[0].message == id);
    CHECK(parts.dispatcher.deliveries[0].attempts == std::vector<std::uint32_t>{1});
    CHECK(parts.scheduler.size() == 0);
    CHECK(parts.scheduler.idle());
  }));
  CHECK(queue.attempts == std::vector<std::string>{"bob@dest.example 1 [192.0.2.1]"});
  CHECK(queue.recover().empty());
}

TEST_CASE("scheduler: five days of a peer that is down") {
  SchedulerWorld queue;
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    parts.dispatcher.deeds = [](const Leg&) { return kHostDown; };
    const MessageId id = co_await parts.submit();
    co_await parts.drain();
    std::vector<Duration> expected{0s, 5min, 15min, 45min, 1h + 45min, 3h + 45min, 6h + 45min};
    while (expected.back() + 3h < 120h) expected.push_back(expected.back() + 3h);
    expected.push_back(120h);
    CHECK(near(times(parts.dispatcher.deliveries, id), expected));
    CHECK(parts.dispatcher.deliveries.back().attempts.front() == 45);
  }));
  CHECK(queue.attempts.size() == 45);
  CHECK(queue.attempts.back() == "bob@dest.example 45 [192.0.2.1]");
}

TEST_CASE("scheduler: own bounces have a lifetime of their own") {
  SchedulerWorld queue;
  queue.scheduling.retry.bounce_lifetime = 1h;
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    parts.dispatcher.deeds = [](const Leg&) { return kHostDown; };
    const MessageId of = co_await parts.submit();
    OwnMessage own;
    own.envelope.recipients.push_back(Recipient{address("alice@src.example")});
    own.content = "x";
    own.arrived = parts.env.clock.now();
    own.bounce_of = of;
    std::optional<OwnMessage> with = std::move(own);
    std::vector<ProgressUpdate> none;
    const auto stored = co_await parts.spool.record(of, std::move(none), std::move(with), Durability::awaited);
    REQUIRE(stored);
    parts.scheduler.add(*stored);
    co_await parts.sleep(2h);
    CHECK(near(times(parts.dispatcher.deliveries, (*stored)->id), {0s, 5min, 15min, 45min, 1h}));
    CHECK(parts.scheduler.size() == 1);
  }));
}

TEST_CASE("scheduler: a restart keeps the times and numbers of the next attempts") {
  SchedulerWorld queue;
  MessageId id;
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    parts.dispatcher.deeds = [](const Leg&) { return kHostDown; };
    id = co_await parts.submit();
    co_await parts.sleep(6min);
    CHECK(parts.dispatcher.deliveries.size() == 2);
  }));
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    co_await parts.sleep(8min);
    CHECK(parts.dispatcher.deliveries.empty());
    co_await parts.sleep(2min);
    REQUIRE(parts.dispatcher.deliveries.size() == 1);
    CHECK(parts.dispatcher.deliveries[0].message == id);
    CHECK(parts.dispatcher.deliveries[0].attempts.front() == 3);
  }));
}

TEST_CASE("scheduler: a crash in an attempt does not hammer the peer") {
  SchedulerWorld queue;
  unsigned dialed = 0;
  for (int life = 0; life < 5; ++life) {
    queue.crashed = false;
    queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
      parts.dispatcher.deeds = [&](const Leg& leg) {
        if (leg.attempts.front() == 1) return kHostDown;
        ++dialed;
        queue.crashed = true;
        queue.node.crash_soon();
        return Deed(Stage::dot, 250, 1h);
      };
      if (life == 0) static_cast<void>(co_await parts.submit());
      co_await parts.sleep(6min);
    });
  }
  // At 5 minutes; then not before another 10.
  CHECK(dialed == 2);
}

TEST_CASE("scheduler: a jump of the wall clock starts nothing, and nothing waits longer for it") {
  for (const Duration jump : {Duration{100h}, Duration{-100h}}) {
    CAPTURE(jump.count());
    SchedulerWorld queue;
    CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
      parts.dispatcher.deeds = [](const Leg&) { return kGreylisted; };
      const MessageId id = co_await parts.submit();
      co_await parts.sleep(1min);
      queue.node.set_clock_offset(jump);
      co_await parts.sleep(3min);
      CHECK(parts.dispatcher.deliveries.size() == 1);
      co_await parts.sleep(2min);
      CHECK(near(times(parts.dispatcher.deliveries, id), {0s, 5min}));
    }));
    // Times in the far future are a clock that was wrong.
    queue.node.set_clock_offset(jump - 1000h);
    CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
      co_await parts.sleep(3h + 1min);
      CHECK(parts.dispatcher.deliveries.size() == 1);
    }));
  }
}

TEST_CASE("scheduler: one success brings forward what waits for the site, once, and nothing else") {
  SchedulerWorld queue;
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    parts.dispatcher.deeds = [](const Leg&) { return kHostDown; };
    const MessageId down = co_await parts.submit();
    parts.dispatcher.deeds = [](const Leg&) { return kHostDown; };
    co_await parts.sleep(20s);
    parts.dispatcher.deeds = [](const Leg&) { return kGreylisted; };
    const MessageId grey = co_await parts.submit();
    co_await parts.sleep(20s);
    // Messages that are taken, while `down` goes on failing.
    parts.dispatcher.deeds = [&](const Leg& leg) { return leg.message->id == down ? kHostDown : kTaken; };
    for (int i = 0; i < 5; ++i) {
      static_cast<void>(co_await parts.submit());
      co_await parts.sleep(20s);
    }
    CHECK(near(times(parts.dispatcher.deliveries, down), {0s, 40s}));
    CHECK(near(times(parts.dispatcher.deliveries, grey), {0s}));
    // Its wait has run out by itself: then success counts again.
    co_await parts.sleep(15min);
    const std::size_t before = times(parts.dispatcher.deliveries, down).size();
    parts.dispatcher.deeds = [](const Leg&) { return kTaken; };
    static_cast<void>(co_await parts.submit());
    co_await parts.sleep(1s);
    CHECK(times(parts.dispatcher.deliveries, down).size() == before + 1);
    CHECK(parts.scheduler.size() == 0);
  }));
}

TEST_CASE("scheduler: recipients of one leg are due together again, jitter or not") {
  SchedulerWorld queue;
  queue.scheduling.retry.jitter = 0.1;
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    parts.dispatcher.deeds = [](const Leg&) { return kGreylisted; };
    Envelope three = envelope({"a@one.example", "b@two.example", "c@one.example"});
    const MessageId id = co_await parts.submit(std::move(three));
    co_await parts.sleep(24h);
    CHECK(times(parts.dispatcher.deliveries, id).size() > 8);
    for (const Delivery& delivery : parts.dispatcher.deliveries) CHECK(delivery.recipients.size() == 3);
  }));
}

TEST_CASE("scheduler: a dead site does not delay the others") {
  SchedulerWorld queue;
  queue.router.smarthost.reset();
  queue.scheduling.lanes_max = 10;
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    parts.dispatcher.deeds = [](const Leg& leg) {
      return leg.site->key.find("192.0.2.66") != std::string::npos ? Deed(Stage::greeting, 421, 5min) : kTaken;
    };
    for (int i = 0; i < 50; ++i) {
      Envelope dead = envelope({"x@[192.0.2.66]"});
      static_cast<void>(co_await parts.submit(std::move(dead)));
    }
    for (int i = 0; i < 20; ++i) {
      Envelope alive = envelope({fmt::format("x@[192.0.2.{}]", 100 + i)});
      const MessageId id = co_await parts.submit(std::move(alive));
      co_await parts.sleep(100ms);
      CHECK(times(parts.dispatcher.deliveries, id).size() == 1);
    }
    CHECK(parts.dispatcher.lanes_max <= 10);
  }));
}

TEST_CASE("scheduler: recipients are cut into one leg a site") {
  SchedulerWorld queue;
  queue.router.smarthost.reset();
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    Envelope to = envelope({"a@[192.0.2.1]", "b@[192.0.2.2]", "c@[192.0.2.1]"});
    const MessageId id = co_await parts.submit(std::move(to));
    co_await parts.sleep(1s);
    REQUIRE(times(parts.dispatcher.deliveries, id).size() == 2);
    std::map<std::string, std::vector<std::size_t>> legs;
    for (const Delivery& delivery : parts.dispatcher.deliveries) legs[delivery.site] = delivery.recipients;
    CHECK(legs["[192.0.2.1]"] == std::vector<std::size_t>{0, 2});
    CHECK(legs["[192.0.2.2]"] == std::vector<std::size_t>{1});
  }));
}

TEST_CASE("scheduler: a domain that cannot be looked up is an attempt, and holds up nobody else") {
  SchedulerWorld queue;  // nobody answers at 192.0.2.53
  queue.router.smarthost.reset();
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    Envelope to = envelope({"a@dest.example", "b@[192.0.2.2]"});
    const MessageId id = co_await parts.submit(std::move(to));
    co_await parts.sleep(2s);
    REQUIRE(times(parts.dispatcher.deliveries, id).size() == 1);
    CHECK(parts.dispatcher.deliveries[0].recipients == std::vector<std::size_t>{1});
    CHECK_FALSE(parts.scheduler.idle());
    co_await parts.sleep(1min);
    CHECK(parts.dispatcher.failures.size() == 1);
    REQUIRE(parts.dispatcher.last_failure);
    CHECK(parts.dispatcher.last_failure->stage == Stage::resolve);
    CHECK(std::get<Error>(parts.dispatcher.last_failure->what).code == Errc::dns_temporary);
    CHECK(parts.scheduler.idle());
    co_await parts.sleep(5min);
    CHECK(parts.dispatcher.failures.size() == 2);
    CHECK(parts.scheduler.size() == 1);
  }));
}

TEST_CASE("scheduler: stop lets the lanes end, and starts nothing more") {
  SchedulerWorld queue;
  queue.scheduling.lanes_per_site_max = 1;
  std::size_t at_stop = 0;
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    parts.dispatcher.deeds = [](const Leg&) { return Deed(Stage::dot, 250, 10s); };
    for (int i = 0; i < 3; ++i) static_cast<void>(co_await parts.submit());
    co_await parts.sleep(5s);
    const auto entries = co_await parts.scheduler.list();
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].active);
    CHECK_FALSE(entries[1].active);
    at_stop = parts.dispatcher.deliveries.size();
  }));
  CHECK(at_stop == 1);
  CHECK(queue.recover().size() == 2);
}

TEST_CASE("scheduler: an attempt whose start cannot be recorded is not made") {
  SchedulerWorld queue;
  CHECK(queue.live([&](SchedulerWorld::Parts& parts) -> Task<void> {
    parts.dispatcher.deeds = [](const Leg&) { return kGreylisted; };
    const MessageId id = co_await parts.submit();
    co_await parts.sleep(4min);
    sim::DiskFault fault;
    fault.operation = "*";
    const std::uint64_t broken = queue.node.disk().add_fault(std::move(fault));
    co_await parts.sleep(3min + 30s);
    CHECK(times(parts.dispatcher.deliveries, id).size() == 1);
    queue.node.disk().remove_fault(broken);
    parts.dispatcher.deeds = [](const Leg&) { return kTaken; };
    co_await parts.sleep(1min);
    CHECK(times(parts.dispatcher.deliveries, id).size() == 2);
    CHECK(parts.scheduler.size() == 0);
  }));
}
