#include "sim/run/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "mta/base/text.h"
#include "mta/capabilities.h"
#include "mta/queue/journal_spool.h"
#include "sim/judge/tally.h"
#include "sim/run/assemble.h"
#include "sim/run/faults.h"
#include "sim/scenario/variant.h"
#include "sim/world/sim_network.h"

namespace postproof::sim {

namespace {

// Variants of one scenario: what has more disk operations than this is no test any more.
constexpr std::uint64_t kVariantsMax = 100'000;
constexpr std::string_view kDiskOp = "disk_op";

// Virtual time that a look into queues may take at the very end: it takes none.
constexpr Duration kLookMax = std::chrono::seconds{1};

const Fault* each_fault(const Scenario& scenario) {
  for (const At& at : scenario.at) {
    const auto* fault = std::get_if<Fault>(&at.what);
    if (fault != nullptr && fault->disk_op_each) return fault;
  }
  return nullptr;
}

// Takes a cast through a scenario: what happens when, when it is over, what is left.
class Play {
 public:
  Play(const Scenario& scenario, const RunOptions& options, Cast& cast)
      : scenario_(scenario), cast_(cast), world_(cast.world()), faults_(cast, options.disk_op) {}

  // Returns the reason of the end, and what was pending.
  record::End perform();
  bool each_fired() const { return faults_.each_fired(); }

 private:
  void plan();
  void plan_one(const At& at);
  void plan_looks();
  // Once the MTA is up, or nothing will bring it up: a world begins with its servers standing, and who finds one down
  // that is started anew waits.
  void when_up(std::string_view host, std::move_only_function<void()> action);

  bool work_done() const;  // by all but the network
  bool finished() const;
  std::string pending() const;

  void look_into_queues();
  void look_at_disk(const MtaActor& actor);
  Task<void> look(MtaActor& actor);
  Task<void> look(const MtaActor& actor, Env& env);
  void record_queue(const MtaActor& actor, const std::vector<queue::QueuedMessage>& messages);

  const Scenario& scenario_;
  Cast& cast_;
  World& world_;
  Faults faults_;
  std::size_t ahead_ = 0;  // [[at]]s, dialogues and looks whose time has not come
  std::size_t looking_ = 0;
};

void Play::plan() {
  for (const At& at : scenario_.at) plan_one(at);
  for (const ClientPart& client : scenario_.clients) {
    if (client.script.empty()) continue;
    ++ahead_;
    world_.at(client.start, [this, &client] { when_up(client.to, [this, &client] { cast_.follow_script(client); }); });
  }
  plan_looks();
}

void Play::plan_one(const At& at) {
  if (const auto* submit = std::get_if<Submit>(&at.what)) {
    ++ahead_;
    world_.at(at.t, [this, submit] { when_up(submit->to, [this, submit] { cast_.submit(*submit); }); });
    return;
  }
  if (const auto* change = std::get_if<ZoneChange>(&at.what)) {
    ++ahead_;
    world_.at(at.t, [this, change] {
      --ahead_;
      cast_.change_zones(*change);
    });
    return;
  }
  const Fault& fault = std::get<Fault>(at.what);
  // What is so from the beginning is so before the first program takes its first step.
  if (at.t == Duration{0} && !fault.instant) return faults_.begin(fault, at.line);
  ++ahead_;
  world_.at(at.t, [this, &fault, line = at.line] {
    --ahead_;
    faults_.begin(fault, line);
  });
}

void Play::plan_looks() {
  std::set<Duration> moments;
  for (const Expect& expect : scenario_.expects) {
    const auto* queue = std::get_if<ExpectQueue>(&expect.what);
    if (queue != nullptr && queue->t) moments.insert(*queue->t);
  }
  for (const Duration moment : moments) {
    ++ahead_;
    world_.at(moment, [this] {
      --ahead_;
      look_into_queues();
    });
  }
}

void Play::when_up(std::string_view host, std::move_only_function<void()> action) {
  const auto endpoint = Endpoint::parse(host);
  MtaActor* actor = endpoint && endpoint->kind() == Endpoint::Kind::ip ? cast_.mta_at(endpoint->address()) : cast_.mta(host);
  if (actor == nullptr || actor->settled) {
    --ahead_;
    return action();
  }
  actor->waiting.push_back([this, action = std::move(action)]() mutable {
    --ahead_;
    action();
  });
}

// Asked each time before virtual time moves on: the cheap questions first.
bool Play::work_done() const {
  if (ahead_ > 0 || looking_ > 0 || faults_.pending() > 0) return false;
  if (cast_.clients_running() > 0) return false;
  for (const MtaActor& actor : cast_.mtas()) {
    if (!actor.node->running()) continue;  // down, and nothing brings it back
    if (actor.mta == nullptr || !actor.up || actor.mta->queue_size() > 0 || !actor.mta->idle()) return false;
  }
  return true;
}

bool Play::finished() const { return work_done() && world_.network().open_connections() == 0; }

// One line each. What begins with "MTA " is an MTA's own work: a scenario may end with it (see judge).
std::string Play::pending() const {
  std::string text;
  for (const std::string& node : world_.stuck_nodes())
    text += fmt::format("{}: crashed, and its program does not end\n", node);
  bool mta_at_work = false;
  for (const MtaActor& actor : cast_.mtas()) {
    if (!actor.node->running()) continue;
    const std::string& name = actor.part->name;
    const std::size_t messages = actor.mta == nullptr ? 0 : actor.mta->queue_size();
    if (actor.mta == nullptr || !actor.up) {
      text += fmt::format("{} is coming up\n", name);
    } else if (messages > 0) {
      text += fmt::format("MTA {}: {} in its queue\n", name,
                          messages == 1 ? "1 message" : fmt::format("{} messages", messages));
      mta_at_work = true;
    } else if (!actor.mta->idle()) {
      text += fmt::format("MTA {}: sessions or attempts under way\n", name);
      mta_at_work = true;
    }
  }
  text += cast_.clients_pending();
  if (ahead_ > 0) text += fmt::format("{} [[at]], dialogues or looks at a queue ahead\n", ahead_);
  if (faults_.pending() > 0) text += fmt::format("{} restarts or ends of pauses ahead\n", faults_.pending());
  const std::size_t open = world_.network().open_connections();
  if (open > 0 && !mta_at_work)
    text += fmt::format("{} connections open: {}", open, world_.network().describe_connections());
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

void Play::look_into_queues() {
  for (MtaActor& actor : cast_.mtas()) {
    ++looking_;
    if (actor.mta != nullptr && actor.up && !actor.cut) {
      actor.visits->spawn(look(actor));
    } else {
      look_at_disk(actor);
    }
  }
}

// One that is down, or not up yet, cannot be asked: its spool is read as `postproof-mta queue list` would read it.
void Play::look_at_disk(const MtaActor& actor) {
  world_.add_onlooker(*actor.node).start([this, &actor](Env& env) { return look(actor, env); });
}

Task<void> Play::look(const MtaActor& actor, Env& env) {
  const auto messages = co_await queue::read_queue(env, actor.config.spool);
  if (messages) {
    record_queue(actor, *messages);
  } else if (messages.error().code != Errc::not_found) {  // it has not come so far as to have a spool
    cast_.trouble(actor.part->name, actor.part->line, messages.error().what);
  }
  --looking_;
}

Task<void> Play::look(MtaActor& actor) {
  if (actor.mta != nullptr) {
    std::vector<queue::QueuedMessage> messages;
    std::vector<queue::QueueEntry> entries = co_await actor.mta->queue();
    for (queue::QueueEntry& entry : entries) messages.push_back(std::move(entry.message));
    if (!actor.cut) record_queue(actor, messages);
  }
  --looking_;
}

void Play::record_queue(const MtaActor& actor, const std::vector<queue::QueuedMessage>& messages) {
  const WallTime start = actor.node->wall_clock() - world_.now();  // of its own clock
  for (const queue::QueuedMessage& message : messages) {
    const queue::StoredMessage& stored = *message.stored;
    for (std::size_t i = 0; i < stored.envelope.recipients.size(); ++i) {
      const queue::Progress& progress = message.progress[i];
      record::QueueState state;
      state.node = actor.part->name;
      state.message = stored.id.to_string();
      state.sender = to_string(stored.envelope.sender);
      state.recipient = stored.envelope.recipients[i].address.to_string();
      state.status = std::string(queue::to_string(progress.status));
      state.attempts = progress.attempts;
      if (progress.status == queue::RecipientStatus::pending) state.due = progress.due - start;
      world_.recorder().add(std::move(state));
    }
  }
}

record::End Play::perform() {
  plan();
  cast_.start();
  World::Stopped stopped = world_.run(scenario_.limit, [this] { return finished(); });
  // A fault that lasts holds what a closing side has sent for ever: the other side waits, and nobody is to blame.
  const bool only_adrift = world_.network().open_connections() == world_.network().adrift_connections();
  if (stopped == World::Stopped::idle && work_done() && only_adrift) stopped = World::Stopped::finished;
  record::End end;
  end.reason = stopped == World::Stopped::finished ? "done"
               : stopped == World::Stopped::limit  ? "limit"
               : stopped == World::Stopped::events ? "events"
               : stopped == World::Stopped::recording ? "recording"
                                                   : "stuck";
  if (stopped != World::Stopped::finished) end.pending = pending();
  const bool cut_off = stopped == World::Stopped::events || stopped == World::Stopped::recording;
  if (!cut_off && stopped != World::Stopped::stuck) {
    look_into_queues();
    world_.run(world_.now() + kLookMax, [this] { return looking_ == 0; });
  }
  return end;
}

}  // namespace

void record_judgement(const Judgement& judgement, Duration at, Recording& recording) {
  const auto is_judgement = [](const Record& record) {
    return std::holds_alternative<record::Failure>(record.what) || std::holds_alternative<record::Verdict>(record.what);
  };
  while (!recording.records.empty() && is_judgement(recording.records.back())) recording.records.pop_back();
  for (const Failure& failure : judgement.failures) {
    recording.records.push_back(
        Record{at, record::Failure{failure.line, failure.expectation, failure.wanted, failure.nearest,
                                   {failure.records.begin(), failure.records.end()}}});
  }
  recording.records.push_back(Record{at, record::Verdict{judgement.ok() ? "passed" : "failed",
                                                         static_cast<std::uint32_t>(judgement.passed),
                                                         static_cast<std::uint32_t>(judgement.failures.size())}});
}

namespace {

std::vector<VariantValue> variant_of(const Scenario& scenario, const std::optional<std::uint64_t>& disk_op) {
  std::vector<VariantValue> variant = scenario.variant;
  if (disk_op) variant.push_back(VariantValue{std::string(kDiskOp), std::to_string(*disk_op)});
  return variant;
}

// A scenario under one seed after the other, judged together.
RunResult run_group(const Scenario& scenario, RunOptions options) {  // a copy: it goes through the seeds
  const std::uint64_t first = options.seed.value_or(scenario.seed);
  Tally tally(scenario);
  std::optional<RunResult> kept;
  for (std::uint64_t n = 0; n < scenario.seeds; ++n) {
    options.seed = first + n;
    RunResult result = run_once(scenario, options);
    if (scenario.seeds > 1) {
      result.recording.group_begin = first;
      result.recording.group_size = scenario.seeds;
      if (options.of_group) options.of_group(result);
    }
    if (tally.wanted()) tally.add(result.recording);
    if (!kept || (kept->judgement.ok() && !result.judgement.ok())) kept = std::move(result);
  }
  tally.judge(kept->judgement);
  record_judgement(kept->judgement, kept->virtual_time, kept->recording);
  return std::move(*kept);
}

// The crash of disk_op = "each" was to come in this variant, and did not: then it was a test of nothing.
void fail_unstruck(const Scenario& scenario, std::uint64_t disk_op, RunResult& result) {
  for (const At& at : scenario.at) {
    const auto* fault = std::get_if<Fault>(&at.what);
    if (fault == nullptr || !fault->disk_op_each || fault->may_miss) continue;
    const std::string from = fault->from.empty() ? "" : fmt::format(" from event {} on", fault->from);
    result.judgement.failures.push_back(Failure{at.line, "fault " + fault->kind,
                                                fmt::format("{} crashes at disk operation {}{}", fault->host, disk_op, from),
                                                "it never struck: that moment never came", {}});
  }
  record_judgement(result.judgement, result.virtual_time, result.recording);
}

}  // namespace

RunResult run_once(const Scenario& scenario, const RunOptions& options) {
  RunResult result;
  Recording& recording = result.recording;
  recording.scenario = scenario.file;
  recording.title = scenario.title;
  recording.source = scenario.source;
  recording.variant = variant_name(variant_of(scenario, options.disk_op));
  WorldSettings settings;
  settings.seed = options.seed.value_or(scenario.seed);
  recording.seed = settings.seed;
  settings.start = scenario.start;
  recording.start = settings.start;

  {
    Cast cast(scenario);
    std::optional<Play> play;
    World world(settings, recording);  // ends first: its programs use the others
    cast.enter(world);
    play.emplace(scenario, options, cast);
    record::End end = play->perform();
    result.virtual_time = world.now();
    result.fault_fired = !options.disk_op || play->each_fired();
    world.recorder().add(std::move(end));
    world.shut_down();  // what that leaves is no part of the run
  }
  result.judgement = judge(scenario, recording);
  record_judgement(result.judgement, result.virtual_time, recording);
  return result;
}

std::string missing_capabilities(const Scenario& scenario) {
  std::string text;
  for (const MtaPart& mta : scenario.mtas) {
    std::string lacks;
    for (const auto* needs : {&scenario.needs, &mta.needs}) {
      for (const std::string& word : *needs) {
        if (!has_capability(word)) lacks += (lacks.empty() ? "" : ", ") + word;
      }
    }
    if (!lacks.empty()) text += fmt::format("{}{} lacks {}", text.empty() ? "" : "; ", mta.name, lacks);
  }
  return text;
}

std::vector<RunResult> run_scenario(const Scenario& scenario, std::optional<std::uint64_t> seed,
                                    const std::optional<std::string>& only,
                                    std::function<void(const RunResult&)> of_group) {
  const bool each = each_fault(scenario) != nullptr;
  // Without a run per operation, or if `only` does not say which, the axes of the matrix decide.
  const bool all_wanted = !only || only->empty() || asks_for(*only, scenario.variant);
  RunOptions options{seed, {}, std::move(of_group)};
  if (each && !all_wanted) {
    options.disk_op = last_number(*only);
    if (!options.disk_op || *options.disk_op == 0 || !asks_for(*only, variant_of(scenario, options.disk_op))) return {};
  } else if (!all_wanted) {
    return {};
  }

  std::vector<RunResult> results;
  if (std::string lacks = missing_capabilities(scenario); !lacks.empty()) {
    RunResult& result = results.emplace_back();
    result.recording.scenario = scenario.file;
    result.recording.variant = variant_name(scenario.variant);
    result.skipped = std::move(lacks);
    return results;
  }
  if (!each || options.disk_op) {
    results.push_back(run_group(scenario, options));
    if (options.disk_op && !results.back().fault_fired) fail_unstruck(scenario, *options.disk_op, results.back());
    return results;
  }
  for (std::uint64_t n = 1; n <= kVariantsMax; ++n) {
    options.disk_op = n;
    results.push_back(run_once(scenario, options));
    if (results.back().fault_fired) continue;
    if (n == 1) fail_unstruck(scenario, n, results.back());
    break;
  }
  return results;
}

}  // namespace postproof::sim
