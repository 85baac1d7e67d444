#include "mta/queue/scheduler.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "mta/base/check.h"
#include "mta/env/hop.h"
#include "mta/queue/scheduler_impl.h"

namespace postproof::queue {

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
  const Duration age = std::max(env.clock.now() - entry.message.stored->arrived, Duration{0});
  entry.arrived = env.clock.mono() - age;
  const auto& held_until = entry.message.stored->envelope.hold_until;
  for (Progress& progress : entry.message.progress) {
    RecipientState state;
    state.step = progress.status == RecipientStatus::pending ? Step::waiting : Step::done;
    const bool held = held_until && progress.attempts == 0 && *held_until > progress.due;
    if (held) progress.due = *held_until;
    state.due = to_mono(progress.due, held ? held_for(*entry.message.stored) : wait_max);
    entry.recipients.push_back(std::move(state));
  }
  schedule(entry);
}

Scheduler::Impl::Entry* Scheduler::Impl::find(MessageId id) {
  const auto at = entries.find(id);
  return at == entries.end() ? nullptr : &at->second;
}

// Stored times are wall times, waits are measured by the monotonic clock: a jump of the wall clock neither
// starts everything at once, nor makes anything wait longer than the longest wait there is.
MonoTime Scheduler::Impl::to_mono(WallTime when, Duration longest) const {
  const WallTime now = env.clock.now();
  const Duration wait = when <= now ? Duration{0} : std::min(when - now, longest);
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
    state.due = to_mono(progress[i].due, wait_max);
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
    make_due(entry, recipient);
    schedule(entry);
  }
}

void Scheduler::Impl::make_due(Entry& entry, std::size_t recipient) {
  entry.recipients[recipient].due = env.clock.mono();
  entry.message.progress[recipient].due = env.clock.now();
}

std::optional<std::size_t> Scheduler::Impl::start(const std::string& domain, bool subdomains) {
  if (stopping) return std::nullopt;
  const std::string below = "." + domain;
  const MonoTime now = env.clock.mono();
  std::size_t messages = 0;
  for (auto& [id, entry] : entries) {
    bool concerned = false;
    // ETRN (RFC 1985) releases nothing that is held.
    const auto& held_until = entry.message.stored->envelope.hold_until;
    if (held_until && *held_until > env.clock.now()) continue;
    for (std::size_t i = 0; i < entry.recipients.size(); ++i) {
      RecipientState& state = entry.recipients[i];
      const std::string of = entry.message.stored->envelope.recipients[i].address.domain_key();
      if (state.step == Step::done || (of != domain && !(subdomains && of.ends_with(below)))) continue;
      concerned = true;
      if (state.step == Step::waiting && state.due > now) make_due(entry, i);
    }
    if (!concerned) continue;
    ++messages;
    schedule(entry);
  }
  return messages;
}

// RFC 4865: from its arrival to its release.
Duration Scheduler::Impl::held_for(const StoredMessage& message) const {
  const auto& until = message.envelope.hold_until;
  return until ? std::max(*until - message.arrived, Duration{0}) : Duration{0};
}

// A message that is held lives from its release on.
Duration Scheduler::Impl::lifetime(const StoredMessage& message) const {
  return held_for(message) + (message.bounce_of.value != 0 ? settings.retry.bounce_lifetime : settings.retry.lifetime);
}

std::optional<WallTime> Scheduler::Impl::retry_at(const StoredMessage& message, std::uint32_t attempts,
                                                  WallTime started, Duration age) {
  Entry* entry = find(message.id);
  if (entry != nullptr && entry->draw.attempts == attempts && entry->draw.started == started) return entry->draw.next;
  auto next = next_attempt(settings.retry, attempts, started, age, lifetime(message), *random);
  // RFC 2852 section 4.1: what is to be returned when its time is over waits no longer than that.
  const auto& by = message.envelope.deliver_by;
  if (next && by && by->give_up) next = std::max(std::min(*next, by->when), started);
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
                                           std::uint32_t attempts, WallTime started, Duration age) {
  co_return impl.retry_at(*message, attempts, started, age);
}

template <class Impl>
Task<std::optional<std::size_t>> ask_start(Impl& impl, std::string domain, bool subdomains) {
  co_return impl.start(domain, subdomains);
}

template <class Impl>
Task<std::vector<QueueEntry>> ask_list(Impl& impl) {
  co_return impl.list();
}

}  // namespace

Task<std::optional<WallTime>> Scheduler::retry_at(std::shared_ptr<const StoredMessage> message, std::uint32_t attempts,
                                                  WallTime started, Duration age) {
  return hop(impl_->env.executor, ask_retry_at(*impl_, std::move(message), attempts, started, age));
}

Task<std::optional<std::size_t>> Scheduler::start(std::string domain, bool subdomains) {
  return hop(impl_->env.executor, ask_start(*impl_, std::move(domain), subdomains));
}

Task<std::vector<QueueEntry>> Scheduler::list() { return hop(impl_->env.executor, ask_list(*impl_)); }

std::size_t Scheduler::size() const { return impl_->entries.size(); }

bool Scheduler::idle() const { return impl_->idle(); }

}  // namespace postproof::queue
