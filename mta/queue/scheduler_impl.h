// The inside of the Scheduler. All of it runs on the queue's executor.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "mta/queue/lanes.h"
#include "mta/queue/scheduler.h"

namespace postproof::queue {

struct Scheduler::Impl : std::enable_shared_from_this<Impl> {
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
    MonoTime arrived{};
    std::optional<MonoTime> scheduled;  // its place in the schedule: the first of its recipients that wait
    Draw draw;
  };

  // One domain of a message that is being routed.
  struct Lookup {
    std::vector<std::size_t> recipients;
    std::optional<Result<SitePointer>> site;
    bool released = false;
  };

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
  MonoTime to_mono(WallTime due, Duration longest) const;
  Entry* find(MessageId id);
  void await_site(Entry& entry, std::size_t recipient, SitePointer site);

  // From due to a lane.
  Task<void> run();
  void dispatch_due();
  void dispatch(Entry& entry);
  static std::vector<Lookup> lookups_of(const Envelope& envelope, const std::vector<std::size_t>& recipients);
  Task<void> route(std::shared_ptr<const StoredMessage> message, std::vector<std::size_t> recipients);
  Task<void> look_up(const StoredMessage& message, std::vector<Lookup>& lookups, std::size_t& next, Wakeup& done);
  void release(MessageId id, std::vector<Lookup>& lookups);
  Task<void> settle_failures(Leg leg, std::vector<Lookup> lookups);
  void open_lanes();
  Task<void> run_lane(SitePointer site);
  Task<std::optional<Leg>> next_leg(Source& source);
  Task<bool> record_start(const Leg& leg);
  void begin_attempts(const Leg& leg);

  // From an attempt back.
  Task<void> requeue(Leg leg, std::vector<Progress> progress, bool succeeded);
  void bring_forward(const std::string& site);
  void make_due(Entry& entry, std::size_t recipient);
  std::optional<std::size_t> start(const std::string& domain, bool subdomains);
  Duration held_for(const StoredMessage& message) const;
  Duration lifetime(const StoredMessage& message) const;
  std::optional<WallTime> retry_at(const StoredMessage& message, std::uint32_t attempts, WallTime started,
                                   Duration age);
  Duration age(const Entry& entry) const { return env.clock.mono() - entry.arrived; }

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

}  // namespace postproof::queue
