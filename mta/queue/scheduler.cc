#include "mta/queue/scheduler.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <set>
#include <utility>

#include "mta/base/check.h"
#include "mta/env/hop.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "mta/queue/lanes.h"

namespace postproof::queue {

namespace {

// Recipients of one message wait so long for each other's DNS, so that those of one site go together; a
// domain whose DNS is slower than that does not delay the others.
constexpr Duration kGatherMax = 1s;
// Domains of one message that are looked up at once.
constexpr std::size_t kLookupsPerMessage = 20;
// When the spool cannot record the start of an attempt, it is not made, and tried again after this.
constexpr Duration kStorageRetry = 1min;
// A lane that ended without asking for a leg counts as open for so long: no site is dialed in a circle.
constexpr Duration kEmptyLanePause = 1s;

using SitePointer = std::shared_ptr<const route::Site>;

// Where a recipient stands between two attempts and in one.
enum class Step : std::uint8_t { waiting, routing, queued, active, done };

// How its present wait came to its end, so that success of others brings it forward once, not again and again.
enum class Forward : std::uint8_t { no, now, spent };

struct RecipientState {
  Step step = Step::waiting;
  MonoTime due{};
  SitePointer site;  // whose recovery it waits for, if any
  Forward forward = Forward::no;
};

// The last answer to "when next", and what was asked: the next recipient of the leg asks the same.
struct Draw {
  std::uint32_t attempts = 0;
  WallTime started{};
  std::optional<WallTime> next;
};

struct Entry {
  QueuedMessage message;
  std::vector<RecipientState> recipients;
  std::optional<MonoTime> scheduled;  // its place in the schedule: the first of its recipients that wait
  Draw draw;
};

// One domain of a message that is being routed.
struct Lookup {
  std::vector<std::size_t> recipients;
  std::optional<Result<SitePointer>> site;
  bool released = false;
};

std::vector<Lookup> lookups_of(const Envelope& envelope, const std::vector<std::size_t>& recipients) {
  std::vector<Lookup> lookups;
  std::map<std::string, std::size_t> by_domain;
  for (const std::size_t recipient : recipients) {
    const auto [at, is_new] =
        by_domain.try_emplace(envelope.recipients[recipient].address.domain_key(), lookups.size());
    if (is_new) lookups.emplace_back();
    lookups[at->second].recipients.push_back(recipient);
  }
  return lookups;
}

}  // namespace

struct Scheduler::Impl : std::enable_shared_from_this<Impl> {
  Impl(Env& environment, Spool& its_spool, route::Router& its_router, Dispatcher& its_dispatcher,
       SchedulerSettings its_settings)
      : env(environment),
        spool(its_spool),
        router(its_router),
        dispatcher(its_dispatcher),
        settings(std::move(its_settings)),
        random(env.entropy.stream("queue.retry")),
        wakeup(env),
        tasks(env.executor),
        lanes(LaneLimits{settings.lanes_per_site_max, settings.lanes_max}) {
    for (const Duration wait : settings.retry.schedule) wait_max = std::max(wait_max, wait);
    wait_max += Duration{static_cast<Duration::rep>(static_cast<double>(wait_max.count()) * settings.retry.jitter)};
  }

  class Source;

  // What waits, and for when.
  Task<void> adopt();
  void insert(QueuedMessage message);
  void schedule(Entry& entry);
  void unschedule(Entry& entry);
  MonoTime to_mono(WallTime due) const;
  Entry* find(MessageId id);
  void await_site(Entry& entry, std::size_t recipient, SitePointer site);

  // From due to a lane.
  Task<void> run();
  void dispatch_due();
  void dispatch(Entry& entry);
  Task<void> route(std::shared_ptr<const StoredMessage> message, std::vector<std::size_t> recipients);
  Task<void> look_up(const StoredMessage& message, std::vector<Lookup>& lookups, std::size_t& next, Wakeup& done);
  void release(MessageId id, std::vector<Lookup>& lookups);
  Task<void> settle_failures(std::shared_ptr<const StoredMessage> message, std::vector<Lookup> lookups,
                             WallTime started);
  void open_lanes();
  Task<void> run_lane(SitePointer site);
  Task<std::optional<Leg>> next_leg(Source& source);
  Task<bool> record_start(const Leg& leg);
  void begin_attempts(const Leg& leg);

  // From an attempt back.
  Task<void> requeue(Leg leg, std::vector<Progress> progress, bool succeeded);
  void bring_forward(const std::string& site);
  Duration lifetime(const StoredMessage& message) const;
  std::optional<WallTime> retry_at(const StoredMessage& message, std::uint32_t attempts, WallTime started);

  bool idle() const;
  std::vector<QueueEntry> list() const;

  Env& env;
  Spool& spool;
  route::Router& router;
  Dispatcher& dispatcher;
  SchedulerSettings settings;
  Duration wait_max{};
  std::unique_ptr<Random> random;
  Wakeup wakeup;
  TaskGroup tasks;
  Lanes lanes;
  std::map<MessageId, Entry> entries;
  std::set<std::pair<MonoTime, MessageId>> due;
  std::map<std::string, std::set<std::pair<MessageId, std::size_t>>> awaiting_site;  // by the site's key
  unsigned routing = 0;
  bool adopted = false;
  bool stopping = false;
};

class Scheduler::Impl::Source final : public LegSource {
 public:
  Source(Impl& impl, SitePointer to) : site(std::move(to)), impl_(impl) {}
  Task<std::optional<Leg>> next() override { return hop(impl_.env.executor, impl_.next_leg(*this)); }

  SitePointer site;
  bool asked = false;

 private:
  Impl& impl_;
};

// What waits, and for when.

Task<void> Scheduler::Impl::adopt() {
  for (;;) {
    auto message = co_await spool.adopt();
    if (!message) {
      if (message.error().code != Errc::closed) {
        const std::string what = "messages could not be taken over: " + message.error().what;
        env.events.emit(event::Service{"trouble", what});
      }
      break;
    }
    if (!*message) break;
    insert(std::move(**message));
  }
  adopted = true;
}

void Scheduler::Impl::insert(QueuedMessage message) {
  const MessageId id = message.stored->id;
  const auto [at, is_new] = entries.try_emplace(id);
  PP_CHECK(is_new, "a message came into the queue twice");
  Entry& entry = at->second;
  entry.message = std::move(message);
  for (const Progress& progress : entry.message.progress) {
    RecipientState state;
    state.step = progress.status == RecipientStatus::pending ? Step::waiting : Step::done;
    state.due = to_mono(progress.due);
    entry.recipients.push_back(std::move(state));
  }
  schedule(entry);
}

Entry* Scheduler::Impl::find(MessageId id) {
  const auto at = entries.find(id);
  return at == entries.end() ? nullptr : &at->second;
}

// Stored times are wall times, waits are measured by the monotonic clock: a jump of the wall clock neither
// starts everything at once, nor makes anything wait longer than the longest wait there is.
MonoTime Scheduler::Impl::to_mono(WallTime when) const {
  const WallTime now = env.clock.now();
  const Duration wait = when <= now ? Duration{0} : std::min(when - now, wait_max);
  return env.clock.mono() + wait;
}

void Scheduler::Impl::unschedule(Entry& entry) {
  if (entry.scheduled) due.erase({*entry.scheduled, entry.message.stored->id});
  entry.scheduled.reset();
}

void Scheduler::Impl::schedule(Entry& entry) {
  unschedule(entry);
  for (const RecipientState& state : entry.recipients) {
    if (state.step != Step::waiting) continue;
    if (!entry.scheduled || state.due < *entry.scheduled) entry.scheduled = state.due;
  }
  if (!entry.scheduled) return;
  due.insert({*entry.scheduled, entry.message.stored->id});
  wakeup.notify();
}

// Notes whose recovery the recipient waits for; null: nobody's.
void Scheduler::Impl::await_site(Entry& entry, std::size_t recipient, SitePointer site) {
  RecipientState& state = entry.recipients[recipient];
  const std::pair<MessageId, std::size_t> who{entry.message.stored->id, recipient};
  if (state.site) {
    const auto at = awaiting_site.find(state.site->key);
    if (at != awaiting_site.end()) {
      at->second.erase(who);
      if (at->second.empty()) awaiting_site.erase(at);
    }
  }
  state.site = std::move(site);
  if (state.site) awaiting_site[state.site->key].insert(who);
}

// From due to a lane.

Task<void> Scheduler::Impl::run() {
  co_await adopt();
  while (!stopping) {
    dispatch_due();
    const bool full = routing >= settings.routing_max;
    const Woken woken = co_await wakeup.wait(full || due.empty() ? kNever : due.begin()->first);
    if (woken == Woken::closed) stopping = true;
  }
  co_await tasks.join();
}

void Scheduler::Impl::dispatch_due() {
  const MonoTime now = env.clock.mono();
  while (!stopping && !due.empty() && due.begin()->first <= now && routing < settings.routing_max) {
    dispatch(entries.at(due.begin()->second));
  }
}

void Scheduler::Impl::dispatch(Entry& entry) {
  const MonoTime now = env.clock.mono();
  std::vector<std::size_t> recipients;
  for (std::size_t i = 0; i < entry.recipients.size(); ++i) {
    RecipientState& state = entry.recipients[i];
    if (state.step != Step::waiting || state.due > now) continue;
    state.step = Step::routing;
    state.forward = state.forward == Forward::now ? Forward::spent : Forward::no;
    await_site(entry, i, nullptr);
    recipients.push_back(i);
  }
  schedule(entry);
  ++routing;
  tasks.spawn(route(entry.message.stored, std::move(recipients)));
}

Task<void> Scheduler::Impl::route(std::shared_ptr<const StoredMessage> message, std::vector<std::size_t> recipients) {
  const WallTime started = env.clock.now();
  std::vector<Lookup> lookups = lookups_of(message->envelope, recipients);
  Wakeup done(env);
  TaskGroup group(env.executor);
  std::size_t next = 0;
  if (lookups.size() == 1) co_await look_up(*message, lookups, next, done);
  const std::size_t lookers = next == lookups.size() ? 0 : std::min(lookups.size(), kLookupsPerMessage);
  for (std::size_t i = 0; i < lookers; ++i) {
    group.spawn(look_up(*message, lookups, next, done));
  }
  Deadline gather = env.clock.mono() + kGatherMax;
  const auto answered = [](const Lookup& lookup) { return lookup.site.has_value(); };
  while (!std::all_of(lookups.begin(), lookups.end(), answered)) {
    const Woken woken = co_await done.wait(gather);
    if (woken == Woken::closed) break;
    if (woken == Woken::deadline) gather = kNever;
    if (gather == kNever) release(message->id, lookups);
  }
  co_await group.join();
  release(message->id, lookups);
  co_await settle_failures(std::move(message), std::move(lookups), started);
  --routing;
  wakeup.notify();
}

// Takes lookups in turn until none is left.
Task<void> Scheduler::Impl::look_up(const StoredMessage& message, std::vector<Lookup>& lookups, std::size_t& next,
                                    Wakeup& done) {
  while (next < lookups.size()) {
    const std::size_t mine = next++;
    const Address& address = message.envelope.recipients[lookups[mine].recipients.front()].address;
    auto site = co_await router.site_for(address);
    lookups[mine].site = std::move(site);
    done.notify();
  }
}

// Recipients whose site is known wait for a lane from here on.
void Scheduler::Impl::release(MessageId id, std::vector<Lookup>& lookups) {
  Entry& entry = entries.at(id);
  for (Lookup& lookup : lookups) {
    if (lookup.released || !lookup.site || !*lookup.site) continue;
    lookup.released = true;
    for (const std::size_t recipient : lookup.recipients) entry.recipients[recipient].step = Step::queued;
    lanes.add(**lookup.site, id, lookup.recipients);
  }
  open_lanes();
}

// No site could be found for these: that is their attempt.
Task<void> Scheduler::Impl::settle_failures(std::shared_ptr<const StoredMessage> message, std::vector<Lookup> lookups,
                                            WallTime started) {
  Leg leg;
  leg.message = message;
  leg.started = started;
  std::vector<AttemptResult> results;
  const Entry& entry = entries.at(message->id);
  for (const Lookup& lookup : lookups) {
    if (!lookup.site || *lookup.site) continue;
    for (const std::size_t recipient : lookup.recipients) {
      leg.recipients.push_back(recipient);
      leg.attempts.push_back(entry.message.progress[recipient].attempts + 1);
      AttemptResult result;
      result.what = lookup.site->error();
      result.started = started;
      result.ended = env.clock.now();
      results.push_back(std::move(result));
    }
  }
  if (results.empty()) co_return;
  begin_attempts(leg);
  co_await dispatcher.settle(std::move(leg), std::move(results));
}

void Scheduler::Impl::open_lanes() {
  while (!stopping) {
    const auto site = lanes.open_next();
    if (!site) return;
    tasks.spawn(run_lane(*site));
  }
}

Task<void> Scheduler::Impl::run_lane(SitePointer site) {
  Source source(*this, site);
  co_await dispatcher.open_lane(site, source);
  if (!source.asked && !stopping) {
    const Woken woken = co_await sleep_until(env, env.clock.mono() + kEmptyLanePause);
    if (woken == Woken::closed) stopping = true;
  }
  lanes.ended(site->key, source.asked);
  open_lanes();
}

Task<std::optional<Leg>> Scheduler::Impl::next_leg(Source& source) {
  while (!stopping) {
    auto taken = lanes.take(source.site->key, !source.asked);
    source.asked = true;
    if (!taken) co_return std::nullopt;
    Entry& entry = entries.at(taken->first);
    Leg leg;
    leg.message = entry.message.stored;
    leg.recipients = std::move(taken->second);
    leg.site = source.site;
    leg.started = env.clock.now();
    for (const std::size_t recipient : leg.recipients) {
      entry.recipients[recipient].step = Step::active;
      leg.attempts.push_back(entry.message.progress[recipient].attempts + 1);
    }
    const bool recorded = co_await record_start(leg);
    if (!recorded) continue;
    begin_attempts(leg);
    co_return leg;
  }
  co_return std::nullopt;
}

// A later attempt is on the disk before it is made, with the due time that counts if we crash in it. False:
// it is not, and the recipients wait.
Task<bool> Scheduler::Impl::record_start(const Leg& leg) {
  Entry& entry = entries.at(leg.message->id);
  std::vector<ProgressUpdate> updates;
  for (std::size_t i = 0; i < leg.recipients.size(); ++i) {
    if (leg.attempts[i] == 1) continue;  // the commit stands for it
    ProgressUpdate update;
    update.recipient = leg.recipients[i];
    update.progress = entry.message.progress[leg.recipients[i]];
    update.progress.attempts = leg.attempts[i];
    const auto next = retry_at(*leg.message, leg.attempts[i], leg.started);
    update.progress.due = next.value_or(leg.started + settings.retry.schedule.back());
    updates.push_back(std::move(update));
  }
  if (updates.empty()) co_return true;
  const auto recorded = co_await spool.record(leg.message->id, std::move(updates), std::nullopt, Durability::awaited);
  if (recorded) co_return true;
  if (recorded.error().code == Errc::closed) co_return false;  // we go down: nothing more is attempted
  for (const std::size_t recipient : leg.recipients) {
    entry.recipients[recipient].step = Step::waiting;
    entry.recipients[recipient].due = env.clock.mono() + kStorageRetry;
  }
  schedule(entry);
  co_return false;
}

void Scheduler::Impl::begin_attempts(const Leg& leg) {
  Entry& entry = entries.at(leg.message->id);
  const std::string id = leg.message->id.to_string();
  for (std::size_t i = 0; i < leg.recipients.size(); ++i) {
    entry.message.progress[leg.recipients[i]].attempts = leg.attempts[i];
    entry.recipients[leg.recipients[i]].step = Step::active;
    const std::string recipient = leg.message->envelope.recipients[leg.recipients[i]].address.to_string();
    const std::string_view site = leg.site ? std::string_view(leg.site->key) : std::string_view();
    env.events.emit(event::Attempt{id, recipient, leg.attempts[i], site});
  }
}

// From an attempt back.

Task<void> Scheduler::Impl::requeue(Leg leg, std::vector<Progress> progress, bool succeeded) {
  const MessageId id = leg.message->id;
  Entry* entry = find(id);
  PP_CHECK(entry != nullptr, "a leg of a message that is not in the queue");
  PP_CHECK(progress.size() == leg.recipients.size(), "one progress a recipient");
  bool trouble = false;
  for (std::size_t i = 0; i < progress.size(); ++i) {
    RecipientState& state = entry->recipients[leg.recipients[i]];
    const bool waits = progress[i].status == RecipientStatus::pending;
    const bool for_site = leg.site && progress[i].last && waits_for_site(*progress[i].last);
    trouble = trouble || for_site;
    state.step = waits ? Step::waiting : Step::done;
    state.due = to_mono(progress[i].due);
    await_site(*entry, leg.recipients[i], waits && for_site ? leg.site : nullptr);
    entry->message.progress[leg.recipients[i]] = std::move(progress[i]);
  }
  const auto done = [](const RecipientState& state) { return state.step == Step::done; };
  if (std::all_of(entry->recipients.begin(), entry->recipients.end(), done)) {
    unschedule(*entry);
    entries.erase(id);
  } else {
    schedule(*entry);
  }
  if (leg.site && succeeded) {
    lanes.note_success(leg.site->key);
    bring_forward(leg.site->key);
  } else if (leg.site && trouble) {
    lanes.note_trouble(leg.site->key);
  }
  open_lanes();
  co_return;
}

// The site works again: what waits for that is due now.
void Scheduler::Impl::bring_forward(const std::string& site) {
  const auto waiting = awaiting_site.extract(site);
  if (waiting.empty()) return;
  const MonoTime now = env.clock.mono();
  for (const auto& [id, recipient] : waiting.mapped()) {
    Entry& entry = entries.at(id);
    RecipientState& state = entry.recipients[recipient];
    state.site.reset();
    if (state.step != Step::waiting || state.forward != Forward::no || state.due <= now) continue;
    state.forward = Forward::now;
    state.due = now;
    entry.message.progress[recipient].due = env.clock.now();
    schedule(entry);
  }
}

Duration Scheduler::Impl::lifetime(const StoredMessage& message) const {
  return message.bounce_of.value != 0 ? settings.retry.bounce_lifetime : settings.retry.lifetime;
}

std::optional<WallTime> Scheduler::Impl::retry_at(const StoredMessage& message, std::uint32_t attempts,
                                                  WallTime started) {
  Entry* entry = find(message.id);
  if (entry != nullptr && entry->draw.attempts == attempts && entry->draw.started == started) return entry->draw.next;
  const auto next = next_attempt(settings.retry, attempts, started, message.arrived, lifetime(message), *random);
  if (entry != nullptr) entry->draw = Draw{attempts, started, next};
  return next;
}

bool Scheduler::Impl::idle() const {
  return adopted && routing == 0 && lanes.idle() && (due.empty() || due.begin()->first > env.clock.mono());
}

std::vector<QueueEntry> Scheduler::Impl::list() const {
  std::vector<QueueEntry> all;
  for (const auto& [id, entry] : entries) {
    const auto under_way = [](const RecipientState& state) { return state.step == Step::active; };
    all.push_back(QueueEntry{entry.message, std::any_of(entry.recipients.begin(), entry.recipients.end(), under_way)});
  }
  return all;
}

// The calls of the interface.

Scheduler::Scheduler(Env& env, Spool& spool, route::Router& router, Dispatcher& dispatcher, SchedulerSettings settings)
    : impl_(std::make_shared<Impl>(env, spool, router, dispatcher, std::move(settings))) {}

Scheduler::~Scheduler() = default;

Task<void> Scheduler::run() { return impl_->run(); }

void Scheduler::stop() {
  impl_->stopping = true;
  impl_->wakeup.notify();
}

void Scheduler::add(std::shared_ptr<const StoredMessage> message) {
  boost::asio::post(impl_->env.executor, [weak = std::weak_ptr<Impl>(impl_), message = std::move(message)]() mutable {
    const auto impl = weak.lock();
    if (!impl) return;
    QueuedMessage queued{message, {}};
    Progress progress;
    progress.due = message->arrived;
    queued.progress.resize(message->envelope.recipients.size(), progress);
    impl->insert(std::move(queued));
  });
}

Task<void> Scheduler::requeue(Leg leg, std::vector<Progress> progress, bool succeeded) {
  return hop(impl_->env.executor, impl_->requeue(std::move(leg), std::move(progress), succeeded));
}

namespace {

// As tasks, for hop.
template <class Impl>
Task<std::optional<WallTime>> ask_retry_at(Impl& impl, std::shared_ptr<const StoredMessage> message,
                                           std::uint32_t attempts, WallTime started) {
  co_return impl.retry_at(*message, attempts, started);
}

template <class Impl>
Task<std::vector<QueueEntry>> ask_list(Impl& impl) {
  co_return impl.list();
}

}  // namespace

Task<std::optional<WallTime>> Scheduler::retry_at(std::shared_ptr<const StoredMessage> message, std::uint32_t attempts,
                                                  WallTime started) {
  return hop(impl_->env.executor, ask_retry_at(*impl_, std::move(message), attempts, started));
}

Task<std::vector<QueueEntry>> Scheduler::list() { return hop(impl_->env.executor, ask_list(*impl_)); }

std::size_t Scheduler::size() const { return impl_->entries.size(); }

bool Scheduler::idle() const { return impl_->idle(); }

}  // namespace postproof::queue
