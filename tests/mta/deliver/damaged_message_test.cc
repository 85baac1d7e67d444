// A message whose stored content went bad fails at once: no host hears of it, and its sender does.
#include <doctest/doctest.h>

#include "mta/deliver/dispatcher.h"
#include "mta/deliver/settle.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "tests/mta/queue/spool_world.h"

using namespace postproof;
using namespace postproof::queue::test;

namespace {

// Delivery of one message over an open spool to a smarthost, for ten seconds.
Task<void> deliver_for_a_while(Env& env, queue::JournalSpool& spool,
                               std::shared_ptr<const queue::StoredMessage> message) {
  route::RouterSettings routing;
  routing.hostname = "mta.example";
  routing.smarthost = route::Smarthost{"[192.0.2.9]", false, 25};
  dns::ResolverSettings resolving;
  resolving.servers.emplace_back(*IpAddress::parse("192.0.2.53"), 53);
  dns::Resolver resolver(env, resolving);
  route::Router router(env, resolver, routing);
  smtp::SessionNumbers numbers;
  smtp::ClientSettings client;
  deliver::Settings settings;
  settings.hostname = "mta.example";
  const std::vector<Env*> envs{&env};
  deliver::LaneDispatcher dispatcher(deliver::LaneContext{spool, router, numbers, client, settings}, envs);
  queue::SchedulerSettings scheduling;
  scheduling.retry.schedule = {1h};
  scheduling.retry.lifetime = scheduling.retry.bounce_lifetime = 24h;
  queue::Scheduler scheduler(env, spool, router, dispatcher, scheduling);
  deliver::Settlement settlement(env, spool, scheduler, settings);
  dispatcher.settle_with(settlement);
  TaskGroup tasks(env.executor);
  tasks.spawn(scheduler.run());
  scheduler.add(std::move(message));
  static_cast<void>(co_await sleep_until(env, env.clock.mono() + 10s));
  scheduler.stop();
  co_await dispatcher.close();
  co_await tasks.join();
  co_await resolver.close();
}

}  // namespace

TEST_CASE("a damaged message: no host is dialed for it, it fails with 5.3.0, and its sender is told why") {
  for (const std::size_t size : {std::size_t{5000}, std::size_t{300'000}}) {
    CAPTURE(size);
    SpoolWorld spools;
    spools.world.add_node("smarthost", {*IpAddress::parse("192.0.2.9")});  // refuses connections
    std::string events;                                                    // in their order
    spools.node.on_event([&](const Event& event) {
      if (const auto* bounced = std::get_if<event::Bounced>(&event)) {
        events += "bounced " + std::string(bounced->stage) + " " + std::string(bounced->status) + " " +
                  std::string(bounced->host) + "\n";
      } else if (std::holds_alternative<event::Connect>(event)) {
        events += "connect\n";
      } else if (const auto* service = std::get_if<event::Service>(&event); service && service->state == "trouble") {
        events += "trouble\n";
      }
    });
    MessageId id;
    CHECK(spools.with_spool([&](Env& env, queue::JournalSpool& spool) -> Task<void> {
      auto writer = co_await spool.begin();
      CHECK((co_await (*writer)->write(body_of(size))).has_value());
      Envelope to = envelope();
      auto stored = co_await (*writer)->commit(std::move(to), std::string(kHeader), env.clock.now());
      id = (*stored)->id;
      const std::string path = size > 100'000 ? spools.files_under("/spool/bodies").front() : "/spool/journal/00000001";
      const std::string octets = spools.node.disk().content(path).value();
      spools.node.disk().flip(path, octets.find(body_of(size)) + 4000);
      co_await deliver_for_a_while(env, spool, *stored);
    }));
    // The one connection is the report's.
    CHECK(events == "trouble\nbounced storage 5.3.0 \nconnect\n");
    const auto found = spools.recover();
    REQUIRE(found.size() == 1);
    const auto& [own, report] = *found.begin();
    CHECK(report.message.stored->bounce_of == id);
    CHECK(report.content.find("was damaged in") != std::string::npos);
    CHECK(report.content.find("\r\nStatus: 5.3.0\r\n") != std::string::npos);
    CHECK(report.content.find("The header of your message could not be read.") != std::string::npos);
  }
}
