// From due to a lane: routing, cutting into legs, recording the start.
#include <algorithm>

#include "mta/env/hop.h"
#include "mta/queue/scheduler_impl.h"

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

}  // namespace

class Scheduler::Impl::Source final : public LegSource {
 public:
  Source(Impl& impl, SitePointer to) : site(std::move(to)), impl_(impl) {}
  Task<std::optional<Leg>> next() override { return hop(impl_.env.executor, impl_.next_leg(*this)); }

  SitePointer site;
  bool asked = false;

 private:
  Impl& impl_;
};

// One for each domain, in the order of the recipients.
std::vector<Scheduler::Impl::Lookup> Scheduler::Impl::lookups_of(const Envelope& envelope,
                                                                 const std::vector<std::size_t>& recipients) {
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
  Leg failed;  // those that no site is found for
  failed.message = message;
  failed.started = env.clock.now();
  failed.age = age(entries.at(message->id));
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
  co_await settle_failures(std::move(failed), std::move(lookups));
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
    lanes.add(**lookup.site, id, lookup.recipients, entry.message.stored->envelope.priority);
  }
  open_lanes();
}

// No site could be found for these: that is their attempt.
Task<void> Scheduler::Impl::settle_failures(Leg leg, std::vector<Lookup> lookups) {
  std::vector<AttemptResult> results;
  const Entry& entry = entries.at(leg.message->id);
  for (const Lookup& lookup : lookups) {
    if (!lookup.site || *lookup.site) continue;
    for (const std::size_t recipient : lookup.recipients) {
      leg.recipients.push_back(recipient);
      leg.attempts.push_back(entry.message.progress[recipient].attempts + 1);
      AttemptResult result;
      result.what = lookup.site->error();
      result.started = leg.started;
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
    leg.age = age(entry);
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
    const auto next = retry_at(*leg.message, leg.attempts[i], leg.started, leg.age);
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

}  // namespace postproof::queue
