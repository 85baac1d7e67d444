#include "mta/queue/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <deque>
#include <map>
#include <set>

#include "mta/env/hop.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"

namespace postproof::queue {

namespace {

// Recipients of a message that are due within so much of each other go together.
constexpr Duration kDueTogether = 1s;
// A leg that has waited longer than this for a lane starts when the lane takes it, not when it was due.
constexpr Duration kHeldBack = 1s;
// When the start of an attempt cannot be recorded, it is not made; it is looked at again after this.
constexpr Duration kStorageRetry = 1min;
// The last share of all lanes is for sites that have none.
constexpr unsigned kReserveShare = 10;

// The connection or the session was in trouble, not this recipient: news of the site's health matter.
bool trouble_of_site(const Progress& progress) {
  if (!progress.last) return false;
  return std::holds_alternative<Error>(progress.last->what) || progress.last->stage < Stage::rcpt;
}

}  // namespace

struct Scheduler::Impl {
  struct Entry {
    std::shared_ptr<const StoredMessage> stored;
    std::vector<Progress> progress;
    std::vector<bool> active;       // being routed, waiting for a lane, or under way
    std::vector<std::string> site;  // where the last attempt went
    std::optional<MonoTime> due;    // its place in due_
    // The jitter of one attempt is drawn once, so that recipients that went together stay together.
    std::uint32_t drawn_attempts = 0;
    WallTime drawn_started{};
    std::optional<WallTime> drawn;
  };

  struct SiteState final : LegSource {
    SiteState(Impl& its_owner, std::shared_ptr<const route::Site> its_site) : owner(its_owner), site(std::move(its_site)) {}
    Task<std::optional<Leg>> next() override { return hop(owner.env.executor, owner.next_leg(*this)); }

    Impl& owner;
    std::shared_ptr<const route::Site> site;
    std::deque<Leg> waiting;
    unsigned lanes = 0;
    unsigned starting = 0;        // lanes that have not yet asked for their first leg
    std::set<MessageId> deferred;  // messages with a recipient that waits for this site
  };

  Impl(Env& its_env, Spool& its_spool, route::Router& its_router, Dispatcher& its_dispatcher, SchedulerSettings its_settings)
      : env(its_env),
        spool(its_spool),
        router(its_router),
        dispatcher(its_dispatcher),
        settings(std::move(its_settings)),
        jitter(env.entropy.stream("queue.jitter")),
        work(env),
        tasks(env.executor) {}

  Task<void> run();
  Task<bool> adopt_all();
  void insert(QueuedMessage message);
  void place(Entry& entry);
  void dispatch_due();
  Task<void> route(MessageId id, std::vector<std::size_t> recipients, WallTime started);
  Task<void> find_site(Address address, std::optional<Result<std::shared_ptr<const route::Site>>>& result);
  void enqueue(Leg leg);
  void pump(SiteState& site);
  void pump_all();
  Task<void> run_lane(SiteState& site);
  Task<std::optional<Leg>> next_leg(SiteState& site);
  Task<bool> record_start(const Leg& leg);
  Task<void> requeue(Leg leg, std::vector<Progress> progress, bool succeeded);
  void rearm(SiteState& site);
  void forget_idle_site(const std::string& key);
  void release(const Leg& leg, WallTime due);
  Task<std::optional<WallTime>> retry_at(std::shared_ptr<const StoredMessage> message, std::uint32_t attempts, WallTime started);
  Task<std::vector<QueueEntry>> list();
  Leg make_leg(const Entry& entry, std::vector<std::size_t> recipients, WallTime started) const;

  Env& env;
  Spool& spool;
  route::Router& router;
  Dispatcher& dispatcher;
  SchedulerSettings settings;
  std::unique_ptr<Random> jitter;
  std::map<MessageId, Entry> messages;
  std::set<std::pair<MonoTime, MessageId>> due;
  std::map<std::string, std::unique_ptr<SiteState>> sites;
  unsigned routing = 0;
  unsigned lanes = 0;
  bool stopping = false;
  Wakeup work;
  TaskGroup tasks;
};

Task<void> Scheduler::Impl::run() {
  if (co_await adopt_all()) {
    while (!stopping) {
      dispatch_due();
      const bool full = routing >= settings.routing_max;
      const Deadline next = full || due.empty() ? kNever : due.begin()->first;
      const Woken woken = co_await work.wait(next);
      if (woken == Woken::closed) break;
    }
  }
  stopping = true;
  co_await tasks.join();
}

Task<bool> Scheduler::Impl::adopt_all() {
  std::size_t count = 0;
  for (;;) {
    auto adopted = co_await spool.adopt();
    if (!adopted) {
      if (adopted.error().code != Errc::closed) env.events.emit(event::Service{"trouble", adopted.error().what});
      co_return false;
    }
    if (!*adopted) break;
    ++count;
    insert(std::move(**adopted));
  }
  const std::string detail = fmt::format("{} messages in the queue", count);
  env.events.emit(event::Service{"recovered", detail});
  co_return true;
}

void Scheduler::Impl::insert(QueuedMessage message) {
  const MessageId id = message.stored->id;
  Entry& entry = messages[id];
  entry.stored = std::move(message.stored);
  entry.progress = std::move(message.progress);
  entry.active.assign(entry.progress.size(), false);
  entry.site.assign(entry.progress.size(), {});
  place(entry);
}

// Puts the message where its next recipient is due, or nowhere while all that wait are under way.
void Scheduler::Impl::place(Entry& entry) {
  const MessageId id = entry.stored->id;
  if (entry.due) due.erase({*entry.due, id});
  entry.due.reset();
  std::optional<WallTime> first;
  for (std::size_t i = 0; i < entry.progress.size(); ++i) {
    const Progress& progress = entry.progress[i];
    if (progress.status != RecipientStatus::pending || entry.active[i]) continue;
    if (!first || progress.due < *first) first = progress.due;
  }
  if (!first) return;
  // Stored times are of the wall clock; waits are of the monotonic one, which does not jump.
  const Duration wait = std::max(*first - env.clock.now(), Duration{0});
  entry.due = env.clock.mono() + wait;
  due.emplace(*entry.due, id);
  work.notify();
}

void Scheduler::Impl::dispatch_due() {
  while (!stopping && routing < settings.routing_max && !due.empty() && due.begin()->first <= env.clock.mono()) {
    const MessageId id = due.begin()->second;
    Entry& entry = messages.at(id);
    // By what was planned, not by the wall clock, which may have been set back since.
    WallTime first = WallTime::max();
    for (std::size_t i = 0; i < entry.progress.size(); ++i) {
      if (entry.progress[i].status == RecipientStatus::pending && !entry.active[i]) first = std::min(first, entry.progress[i].due);
    }
    const WallTime limit = std::max(first, env.clock.now()) + kDueTogether;
    std::vector<std::size_t> recipients;
    for (std::size_t i = 0; i < entry.progress.size(); ++i) {
      const Progress& progress = entry.progress[i];
      if (progress.status != RecipientStatus::pending || entry.active[i] || progress.due > limit) continue;
      entry.active[i] = true;
      recipients.push_back(i);
    }
    place(entry);
    ++routing;
    tasks.spawn(route(id, std::move(recipients), env.clock.now()));
  }
}

Leg Scheduler::Impl::make_leg(const Entry& entry, std::vector<std::size_t> recipients, WallTime started) const {
  Leg leg;
  leg.message = entry.stored;
  for (const std::size_t i : recipients) leg.attempts.push_back(entry.progress[i].attempts + 1);
  leg.recipients = std::move(recipients);
  leg.started = started;
  return leg;
}

// Every domain is looked up at once; then recipients of one site go together, whatever their domains.
Task<void> Scheduler::Impl::route(MessageId id, std::vector<std::size_t> recipients, WallTime started) {
  struct Domain {
    std::vector<std::size_t> recipients;
    std::optional<Result<std::shared_ptr<const route::Site>>> site;
  };
  const std::shared_ptr<const StoredMessage> stored = messages.at(id).stored;
  std::map<std::string, Domain> domains;
  for (const std::size_t i : recipients) {
    domains[stored->envelope.recipients[i].address.domain_key()].recipients.push_back(i);
  }
  TaskGroup lookups(env.executor);
  for (auto& [name, domain] : domains) {
    lookups.spawn(find_site(stored->envelope.recipients[domain.recipients.front()].address, domain.site));
  }
  co_await lookups.join();

  std::map<std::string, Leg> legs;
  for (auto& [name, domain] : domains) {
    Leg leg = make_leg(messages.at(id), std::move(domain.recipients), started);
    if (*domain.site) {
      leg.site = **domain.site;
      const auto [at, fresh] = legs.try_emplace(leg.site->key, leg);
      if (!fresh) {
        Leg& other = at->second;
        other.recipients.insert(other.recipients.end(), leg.recipients.begin(), leg.recipients.end());
        other.attempts.insert(other.attempts.end(), leg.attempts.begin(), leg.attempts.end());
      }
      continue;
    }
    const Error& why = domain.site->error();
    if (why.code == Errc::closed || !co_await record_start(leg)) {
      release(leg, env.clock.now() + kStorageRetry);
      continue;
    }
    const std::vector<AttemptResult> results(
        leg.recipients.size(), AttemptResult{Stage::resolve, {}, {}, why, started, env.clock.now()});
    co_await dispatcher.settle(std::move(leg), results);
  }
  for (auto& [key, leg] : legs) enqueue(std::move(leg));
  --routing;
  work.notify();
}

Task<void> Scheduler::Impl::find_site(Address address, std::optional<Result<std::shared_ptr<const route::Site>>>& result) {
  result.emplace(co_await router.site_for(std::move(address)));
}

void Scheduler::Impl::enqueue(Leg leg) {
  auto& state = sites[leg.site->key];
  if (!state) state = std::make_unique<SiteState>(*this, leg.site);
  state->site = leg.site;
  state->waiting.push_back(std::move(leg));
  pump(*state);
}

void Scheduler::Impl::pump(SiteState& site) {
  while (!stopping && site.starting < site.waiting.size() && site.lanes < settings.lanes_per_site_max &&
         lanes < settings.lanes_max) {
    const unsigned reserve = settings.lanes_max / kReserveShare;
    if (site.lanes > 0 && lanes + reserve >= settings.lanes_max) return;
    ++site.lanes;
    ++site.starting;
    ++lanes;
    tasks.spawn(run_lane(site));
  }
}

void Scheduler::Impl::pump_all() {
  for (auto& [key, site] : sites) pump(*site);
}

Task<void> Scheduler::Impl::run_lane(SiteState& site) {
  const std::string key = site.site->key;
  co_await dispatcher.open_lane(site.site, site);
  --site.lanes;
  --lanes;
  pump_all();
  forget_idle_site(key);
  work.notify();
}

Task<std::optional<Leg>> Scheduler::Impl::next_leg(SiteState& site) {
  if (site.starting > 0) --site.starting;
  while (!stopping && !site.waiting.empty()) {
    Leg leg = std::move(site.waiting.front());
    site.waiting.pop_front();
    const WallTime now = env.clock.now();
    if (now - leg.started > kHeldBack) leg.started = now;
    if (co_await record_start(leg)) co_return std::optional<Leg>(std::move(leg));
    release(leg, now + kStorageRetry);
  }
  co_return std::nullopt;
}

// Makes the start of second and later attempts durable before anything is dialed, with the time of the
// attempt after it: after a crash nobody is dialed sooner than that. The commit stands for the first.
Task<bool> Scheduler::Impl::record_start(const Leg& leg) {
  std::vector<ProgressUpdate> updates;
  for (std::size_t k = 0; k < leg.recipients.size(); ++k) {
    if (leg.attempts[k] < 2) continue;
    Progress progress = messages.at(leg.message->id).progress[leg.recipients[k]];
    progress.attempts = leg.attempts[k];
    const auto next = co_await retry_at(leg.message, progress.attempts, leg.started);
    progress.due = next.value_or(leg.started);
    updates.push_back(ProgressUpdate{leg.recipients[k], std::move(progress)});
  }
  if (!updates.empty()) {
    auto recorded = co_await spool.record(leg.message->id, std::move(updates), std::nullopt, Durability::awaited);
    if (!recorded) {
      if (recorded.error().code != Errc::closed) env.events.emit(event::Service{"trouble", recorded.error().what});
      co_return false;
    }
  }
  const std::string id = leg.message->id.to_string();
  for (std::size_t k = 0; k < leg.recipients.size(); ++k) {
    const std::string recipient = leg.message->envelope.recipients[leg.recipients[k]].address.to_string();
    env.events.emit(event::Attempt{id, recipient, leg.attempts[k], leg.site ? std::string_view(leg.site->key) : ""});
  }
  co_return true;
}

// Gives recipients back to the queue as they were, to be looked at again.
void Scheduler::Impl::release(const Leg& leg, WallTime due_at) {
  const auto at = messages.find(leg.message->id);
  if (at == messages.end()) return;
  for (const std::size_t i : leg.recipients) {
    at->second.active[i] = false;
    at->second.progress[i].due = due_at;
  }
  place(at->second);
}

Task<void> Scheduler::Impl::requeue(Leg leg, std::vector<Progress> progress, bool succeeded) {
  const auto at = messages.find(leg.message->id);
  if (at == messages.end()) co_return;
  Entry& entry = at->second;
  SiteState* site = nullptr;
  if (leg.site) {
    const auto found = sites.find(leg.site->key);
    if (found != sites.end()) site = found->second.get();
  }
  for (std::size_t k = 0; k < leg.recipients.size(); ++k) {
    const std::size_t i = leg.recipients[k];
    entry.active[i] = false;
    entry.progress[i] = std::move(progress[k]);
    entry.site[i] = leg.site ? leg.site->key : std::string();
    if (site != nullptr && entry.progress[i].status == RecipientStatus::pending && trouble_of_site(entry.progress[i])) {
      site->deferred.insert(leg.message->id);
    }
  }
  const bool over = std::none_of(entry.progress.begin(), entry.progress.end(), [](const Progress& p) {
    return p.status == RecipientStatus::pending;
  });
  if (over) {
    if (entry.due) due.erase({*entry.due, at->first});
    messages.erase(at);
  } else {
    place(entry);
  }
  if (succeeded && site != nullptr) rearm(*site);
}

// The site works: what waits only because it did not goes now.
void Scheduler::Impl::rearm(SiteState& site) {
  const WallTime now = env.clock.now();
  for (const MessageId id : std::exchange(site.deferred, {})) {
    const auto at = messages.find(id);
    if (at == messages.end()) continue;
    Entry& entry = at->second;
    for (std::size_t i = 0; i < entry.progress.size(); ++i) {
      Progress& progress = entry.progress[i];
      if (progress.status == RecipientStatus::pending && !entry.active[i] && entry.site[i] == site.site->key &&
          trouble_of_site(progress) && progress.due > now) {
        progress.due = now;
      }
    }
    place(entry);
  }
}

void Scheduler::Impl::forget_idle_site(const std::string& key) {
  const auto at = sites.find(key);
  if (at == sites.end()) return;
  const SiteState& site = *at->second;
  if (site.lanes == 0 && site.waiting.empty() && site.deferred.empty()) sites.erase(at);
}

Task<std::optional<WallTime>> Scheduler::Impl::retry_at(std::shared_ptr<const StoredMessage> message,
                                                        std::uint32_t attempts, WallTime started) {
  const Duration lifetime = message->bounce_of.value != 0 ? settings.retry.bounce_lifetime : settings.retry.lifetime;
  const auto at = messages.find(message->id);
  if (at == messages.end()) co_return next_attempt(settings.retry, attempts, started, message->arrived, lifetime, *jitter);
  Entry& entry = at->second;
  if (entry.drawn_attempts != attempts || entry.drawn_started != started) {
    entry.drawn_attempts = attempts;
    entry.drawn_started = started;
    entry.drawn = next_attempt(settings.retry, attempts, started, message->arrived, lifetime, *jitter);
  }
  co_return entry.drawn;
}

Task<std::vector<QueueEntry>> Scheduler::Impl::list() {
  std::vector<QueueEntry> entries;
  for (const auto& [id, entry] : messages) {
    QueueEntry line;
    line.message.stored = entry.stored;
    line.message.progress = entry.progress;
    line.active = std::any_of(entry.active.begin(), entry.active.end(), [](bool active) { return active; });
    entries.push_back(std::move(line));
  }
  co_return entries;
}

Scheduler::Scheduler(Env& env, Spool& spool, route::Router& router, Dispatcher& dispatcher, SchedulerSettings settings)
    : impl_(std::make_unique<Impl>(env, spool, router, dispatcher, std::move(settings))) {}

Scheduler::~Scheduler() = default;

Task<void> Scheduler::run() { return impl_->run(); }

void Scheduler::stop() {
  impl_->stopping = true;
  impl_->work.notify();
}

void Scheduler::add(std::shared_ptr<const StoredMessage> message) {
  boost::asio::post(impl_->env.executor, [impl = impl_.get(), message = std::move(message)]() mutable {
    QueuedMessage queued;
    queued.progress.resize(message->envelope.recipients.size());
    for (Progress& progress : queued.progress) progress.due = message->arrived;
    queued.stored = std::move(message);
    impl->insert(std::move(queued));
  });
}

Task<void> Scheduler::requeue(Leg leg, std::vector<Progress> progress, bool succeeded) {
  return hop(impl_->env.executor, impl_->requeue(std::move(leg), std::move(progress), succeeded));
}

Task<std::optional<WallTime>> Scheduler::retry_at(std::shared_ptr<const StoredMessage> message, std::uint32_t attempts,
                                                  WallTime started) {
  return hop(impl_->env.executor, impl_->retry_at(std::move(message), attempts, started));
}

Task<std::vector<QueueEntry>> Scheduler::list() { return hop(impl_->env.executor, impl_->list()); }

std::size_t Scheduler::size() const { return impl_->messages.size(); }

bool Scheduler::idle() const {
  if (impl_->routing > 0 || impl_->lanes > 0) return false;
  return impl_->due.empty() || impl_->due.begin()->first > impl_->env.clock.mono();
}

}  // namespace postproof::queue
