#include "mta/mta.h"

#include <fmt/format.h>

#include "mta/auth/authenticator.h"
#include "mta/base/check.h"
#include "mta/deliver/dispatcher.h"
#include "mta/deliver/settle.h"
#include "mta/env/hop.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "mta/intake/intake.h"
#include "mta/login_files.h"
#include "mta/queue/journal_spool.h"
#include "mta/smtp/listener.h"
#include "mta/smtp/session_numbers.h"
#include "mta/tls_files.h"

namespace postproof {

namespace {

// Attempts under way when we stop have so long to come to their end by themselves.
constexpr Duration kStopGrace = 10s;

// One way in: where, on which terms, and what it is called in the log.
struct Entrance {
  std::string_view name;  // empty: other servers' (port 25)
  std::vector<Endpoint> endpoints;
  smtp::ServerSettings settings;
};

std::vector<Entrance> entrances_of(const Config& config) {
  std::vector<Entrance> list;
  list.push_back(Entrance{{}, config.listen, config.server});
  smtp::ServerSettings submission = config.server;
  submission.submission = true;
  submission.tls = smtp::TlsLevel::require;
  if (!config.submission.listen.empty()) list.push_back(Entrance{"submission", config.submission.listen, submission});
  submission.implicit_tls = true;
  if (!config.submission.listen_tls.empty()) {
    list.push_back(Entrance{"submissions", config.submission.listen_tls, submission});
  }
  return list;
}

// What takes mail in on one session Env.
struct Door {
  Door(Env& its_env, const Config& config, dns::Resolver& resolver, queue::Spool& spool, queue::Scheduler& scheduler,
       smtp::SessionNumbers& numbers)
      : env(its_env),
        entrances(entrances_of(config)),
        intakes(env, config.intake, resolver, spool, scheduler, config.spool.free_min),
        logins(env, config.auth, auth::make_verifier(env, config.auth)),
        tasks(env.executor) {
    for (const Entrance& entrance : entrances) {
      listeners.push_back(std::make_unique<smtp::Listener>(env, entrance.settings, intakes, numbers,
                                                           config.logs_in() ? &logins : nullptr));
    }
  }

  std::size_t sessions() const {
    std::size_t count = 0;
    for (const auto& listener : listeners) count += listener->size();
    return count;
  }

  Env& env;
  std::vector<Entrance> entrances;  // its own: used, and renewed, on its thread
  intake::SpoolIntakeFactory intakes;
  auth::Authenticator logins;
  std::vector<std::unique_ptr<smtp::Listener>> listeners;  // one an entrance
  TaskGroup tasks;
};

Task<Result<void>> open_door(Door& door) {
  auto loaded = co_await door.logins.load();
  if (!loaded) co_return fail("auth.password_file", std::move(loaded.error()));
  for (std::size_t i = 0; i < door.entrances.size(); ++i) {
    for (const Endpoint& endpoint : door.entrances[i].endpoints) {
      const auto listening = door.listeners[i]->listen(endpoint);
      if (!listening) co_return std::unexpected(listening.error());
    }
  }
  co_return Result<void>{};
}

Task<void> serve_door(Door& door) {
  for (const auto& listener : door.listeners) door.tasks.spawn(listener->run());
  co_await door.tasks.join();
}

Task<void> renew_door(Door& door, std::shared_ptr<const tls::Context> context) {
  for (Entrance& entrance : door.entrances) entrance.settings.tls_context = context;
  co_return;
}

Task<void> close_door(Door& door) {
  for (const auto& listener : door.listeners) listener->stop();
  co_return;
}

// Everything that stands on an open spool.
struct Service {
  Service(const Config& config, Env& env, const std::vector<Env*>& session_envs, std::unique_ptr<queue::Spool> its_spool)
      : spool(std::move(its_spool)),
        resolver(env, config.resolver),
        router(env, resolver, config.router),
        dispatcher(deliver::LaneContext{*spool, router, numbers, config.client, config.deliver}, session_envs),
        scheduler(env, *spool, router, dispatcher, config.scheduler),
        settlement(env, *spool, scheduler, config.deliver) {
    dispatcher.settle_with(settlement);
    for (Env* session_env : session_envs) {
      doors.push_back(std::make_unique<Door>(*session_env, config, resolver, *spool, scheduler, numbers));
    }
  }

  smtp::SessionNumbers numbers;
  std::unique_ptr<queue::Spool> spool;
  dns::Resolver resolver;
  route::Router router;
  deliver::LaneDispatcher dispatcher;
  queue::Scheduler scheduler;
  deliver::Settlement settlement;
  std::vector<std::unique_ptr<Door>> doors;
};

}  // namespace

struct Mta::Impl {
  Impl(Config its_config, Env& queue, std::vector<Env*> sessions)
      : config(std::move(its_config)),
        env(queue),
        session_envs(std::move(sessions)),
        stop_wanted(env),
        lanes_ended(env),
        queue_tasks(env.executor),
        door_tasks(env.executor) {}

  Task<Result<void>> run(std::function<void()> ready);
  Task<Result<void>> listen();
  Task<void> serve_queue();
  Task<void> reload();
  Task<void> bound_lanes();
  Task<std::vector<queue::QueueEntry>> list();
  void tell(std::string_view state, const std::string& detail) { env.events.emit(event::Service{state, detail}); }

  Config config;
  Env& env;
  std::vector<Env*> session_envs;
  std::unique_ptr<Service> service;
  Wakeup stop_wanted;
  Wakeup lanes_ended;
  TaskGroup queue_tasks;
  TaskGroup door_tasks;
};

Task<Result<void>> Mta::Impl::run(std::function<void()> ready) {
  auto tls_loaded = co_await load_tls(env, config);
  if (!tls_loaded) co_return tls_loaded;
  auto login_loaded = co_await load_smarthost_login(env, config);
  if (!login_loaded) co_return login_loaded;
  auto opened = co_await queue::JournalSpool::open(env, config.spool);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  service = std::make_unique<Service>(config, env, session_envs, std::move(*opened));

  auto listening = co_await listen();
  if (!listening) {
    co_await service->resolver.close();
    co_await service->spool->close();
    service.reset();
    co_return listening;
  }
  queue_tasks.spawn(serve_queue());
  for (const auto& door : service->doors) door_tasks.spawn(hop(door->env.executor, serve_door(*door)));

  if (ready) ready();

  const Woken woken = co_await stop_wanted.wait();
  if (woken != Woken::closed) tell("stopping", "sessions end, attempts under way are finished");
  for (const auto& door : service->doors) co_await hop(door->env.executor, close_door(*door));
  co_await door_tasks.join();
  service->scheduler.stop();
  queue_tasks.spawn(bound_lanes());
  co_await queue_tasks.join();
  co_await service->resolver.close();
  co_await service->spool->close();
  if (woken != Woken::closed) tell("stopped", fmt::format("{} messages in the queue", service->scheduler.size()));
  service.reset();
  co_return Result<void>{};
}

Task<Result<void>> Mta::Impl::listen() {
  for (const auto& door : service->doors) {
    auto opened = co_await hop(door->env.executor, open_door(*door));
    if (!opened) co_return opened;
  }
  const Door& door = *service->doors.front();
  for (std::size_t i = 0; i < door.entrances.size(); ++i) {
    const std::string_view name = door.entrances[i].name;
    for (const Endpoint& endpoint : door.listeners[i]->endpoints()) {
      tell("listening", name.empty() ? endpoint.to_string() : fmt::format("{} ({})", endpoint.to_string(), name));
    }
  }
  co_return Result<void>{};
}

// Sessions and doors keep what they have until the new one is whole.
Task<void> Mta::Impl::reload() {
  const auto context = co_await load_server_tls(env, config.tls);
  if (!context) {
    if (context.error().code != Errc::closed) tell("trouble", context.error().what + "; the certificate of before stands");
    co_return;
  }
  for (const auto& door : service->doors) co_await hop(door->env.executor, renew_door(*door, *context));
  tell("reloaded", config.tls.own.certificate);
}

Task<void> Mta::Impl::serve_queue() {
  co_await service->scheduler.run();
  lanes_ended.notify();
}

// A stop does not wait for a peer that takes its ten minutes: its message stays in the queue.
Task<void> Mta::Impl::bound_lanes() {
  const Woken woken = co_await lanes_ended.wait(env.clock.mono() + kStopGrace);
  if (woken == Woken::deadline) co_await service->dispatcher.close();
}

Task<std::vector<queue::QueueEntry>> Mta::Impl::list() {
  if (!service) co_return std::vector<queue::QueueEntry>{};
  co_return co_await service->scheduler.list();
}

Mta::Mta(Config config, Env& queue, std::vector<Env*> sessions)
    : impl_(std::make_unique<Impl>(std::move(config), queue, std::move(sessions))) {
  PP_CHECK(!impl_->session_envs.empty(), "an Mta needs a session Env");
  PP_CHECK(!impl_->config.resolver.servers.empty(), "an Mta needs a resolver's address");
}

Mta::~Mta() = default;

Task<Result<void>> Mta::run(std::function<void()> ready) { return impl_->run(std::move(ready)); }

void Mta::stop() { impl_->stop_wanted.notify(); }

void Mta::reload() {
  if (!impl_->service) return;
  if (impl_->config.tls.own.certificate.empty()) {
    impl_->tell("unchanged", "there is no tls.certificate; a changed configuration is read at the next start");
    return;
  }
  impl_->queue_tasks.spawn(impl_->reload());
}

Task<std::vector<queue::QueueEntry>> Mta::queue() { return hop(impl_->env.executor, impl_->list()); }

bool Mta::idle() const {
  if (!impl_->service) return true;
  for (const auto& door : impl_->service->doors) {
    if (door->sessions() > 0) return false;
  }
  return impl_->service->scheduler.idle();
}

std::size_t Mta::queue_size() const { return impl_->service ? impl_->service->scheduler.size() : 0; }

}  // namespace postproof
