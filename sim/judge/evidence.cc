#include "sim/judge/evidence.h"

#include <algorithm>
#include <tuple>

namespace postproof::sim {

namespace {

constexpr std::size_t kNeighboursBefore = 3;
constexpr std::size_t kNeighboursAfter = 1;

// Which connection a record is about; 0: none.
ConnectionId connection_of(const Record& record) {
  return std::visit(
      [](const auto& what) -> ConnectionId {
        if constexpr (requires { what.connection; }) return what.connection;
        return 0;
      },
      record.what);
}

bool lies(std::string_view fault) { return fault == "disk.bit-rot" || fault == "disk.rename-not-durable"; }

bool changes_disk(std::string_view operation) {
  return operation == "write" || operation == "sync" || operation == "allocate" || operation == "truncate" ||
         operation == "rename" || operation == "unlink" || operation == "sync_dir";
}

bool takes_submissions(const MtaPart& mta) {
  const Config& config = mta.config;
  return config.server.submission || !config.submission.listen.empty() || !config.submission.listen_tls.empty();
}

}  // namespace

std::string_view EventSeen::field(std::string_view key) const {
  const std::string* value = event->find(key);
  return value == nullptr ? std::string_view{} : std::string_view{*value};
}

Evidence::Evidence(const Scenario& scenario, const Recording& recording, Sight sight)
    : scenario_(scenario), recording_(recording), sight_(sight), conversations_(read_conversations(recording)),
      identities_(std::ranges::any_of(scenario.mtas, takes_submissions)) {
  for (std::size_t i = 0; i < recording.records.size(); ++i) take(i, recording.records[i]);
  judge_origin();
}

void Evidence::take(std::size_t index, const Record& record) {
  ended_at_ = record.at;
  if (const auto* arrival = std::get_if<record::PeerMessage>(&record.what)) {
    if (!arrival->accepted) return;
    arrivals_.push_back(Arrival{.record = index, .at = record.at, .message = arrival, .from = {}, .report = {}});
    if (const Conversation* heard = conversation(arrival->connection)) {
      for (const HeardMessage& message : heard->messages) {
        if (message.sent <= record.at) arrivals_.back().protection = heard->protection(message);
      }
    }
  } else if (const auto* handover = std::get_if<record::ClientMessage>(&record.what)) {
    handovers_.push_back(Handover{index, record.at, handover, mta(handover->to)});
  } else if (const auto* event = std::get_if<record::MtaEvent>(&record.what)) {
    events_.push_back(EventSeen{index, record.at, event});
    if (event->name == "service" && events_.back().field("state") == "trouble") {
      if (const auto disk = disks_.find(event->node); disk != disks_.end()) disk->second.told = disk->second.rotten;
    }
  } else if (const auto* fault = std::get_if<record::Fault>(&record.what)) {
    if (fault->line != 0) faults_.push_back(index);
    take(*fault);
  } else if (const auto* state = std::get_if<record::NodeState>(&record.what)) {
    take(*state, index, record.at);
  } else if (const auto* operation = std::get_if<record::DiskOperation>(&record.what)) {
    if (operation->result != "ok" && changes_disk(operation->operation)) life(operation->node).disk_failed = true;
  } else if (const auto* end = std::get_if<record::End>(&record.what)) {
    end_ = end;
  }
}

void Evidence::take(const record::NodeState& state, std::size_t index, Duration at) {
  if (state.state == "start") {
    lives_[state.node].push_back(Life{at, {}, 0, false, false});
  } else if (state.state == "crash" || state.state == "stop") {
    if (const auto disk = disks_.find(state.node); disk != disks_.end() && state.state == "crash") {
      disk->second.found = disk->second.forgetful;
    }
    Life& last = life(state.node);
    if (!last.end) last.end = at, last.end_record = index;
    last.crashed = last.crashed || state.state == "crash";
  }
}

void Evidence::take(const record::Fault& fault) {
  if (fault.kind == "process.pause") {
    Pauses& pauses = pauses_[fault.where];
    if (fault.detail != "ends") {
      if (pauses.under_way++ == 0) pauses.list.emplace_back(ended_at_, std::nullopt);
    } else if (pauses.under_way > 0 && --pauses.under_way == 0) {
      pauses.list.back().second = ended_at_;
    }
  }
  if (!lies(fault.kind)) return;
  Disk& disk = disks_[fault.where.substr(0, fault.where.find(' '))];  // behind its node's name, the path
  if (!fault.detail.starts_with("strikes")) return;
  (fault.kind == "disk.bit-rot" ? disk.rotten : disk.forgetful) = true;
}

bool Evidence::disk_betrayed() const {
  return std::ranges::any_of(disks_, [](const auto& disk) { return disk.second.told || disk.second.found; });
}

Evidence::Life& Evidence::life(std::string_view node) {
  std::vector<Life>& all = lives_[std::string(node)];
  if (all.empty()) all.emplace_back();
  return all.back();
}

bool Evidence::is_down(std::string_view node, Duration at) const {
  const auto lives = lives_.find(node);
  if (lives == lives_.end()) return true;
  return std::ranges::none_of(lives->second, [&](const Life& life) { return life.begin <= at && (!life.end || *life.end > at); });
}

// Who sent what arrived, and whether it is a message that passed through or one that an MTA wrote itself.
void Evidence::judge_origin() {
  std::set<std::size_t> handed_over;
  for (Handover& handover : handovers_) {
    handover.identity = identities_.of(handover.message->content);
    handed_over.insert(handover.identity);
  }
  for (Arrival& arrival : arrivals_) {
    if (const Conversation* conversation = this->conversation(arrival.message->connection)) {
      arrival.from = conversation->opener;
    }
    arrival.from_mta = is_mta(arrival.from);
    arrival.identity = identities_.of(arrival.message->content);
    arrival.handed_over = handed_over.contains(arrival.identity);
    if (!arrival.handed_over && arrival.message->sender.empty()) arrival.report = read_report(arrival.message->content);
  }
}

const Conversation* Evidence::conversation(ConnectionId connection) const {
  const auto at = std::ranges::lower_bound(conversations_, connection, {}, &Conversation::connection);
  return at != conversations_.end() && at->connection == connection ? &*at : nullptr;
}

const MtaPart* Evidence::mta(std::string_view node) const {
  const auto at = std::ranges::find(scenario_.mtas, node, &MtaPart::name);
  return at == scenario_.mtas.end() ? nullptr : &*at;
}

bool Evidence::is_mta(std::string_view node) const { return mta(node) != nullptr; }

Seen Evidence::seen(const Conversation& conversation, const std::optional<std::size_t>& reply) const {
  if (!reply || !conversation.replies[*reply].arrived) return Seen::no;
  if (sight_ == Sight::wire && is_mta(conversation.opener)) {
    // Nobody watches that end of the wire: only what it says afterwards shows that it has read the reply.
    const auto& commands = conversation.commands;
    const bool answered = !commands.empty() && commands.back().record > conversation.replies[*reply].record;
    return answered ? Seen::yes : Seen::maybe;
  }
  const Duration arrived = *conversation.replies[*reply].arrived;
  Seen seen = Seen::yes;
  // What ends at the very moment may have come first or last.
  const auto ended = [&](Duration when, bool surely) {
    if (when < arrived && surely) {
      seen = Seen::no;
    } else if (when <= arrived && seen == Seen::yes) {
      seen = Seen::maybe;
    }
  };
  if (conversation.opener_ended) ended(*conversation.opener_ended, true);
  if (conversation.acceptor_reset) ended(*conversation.acceptor_reset, false);
  if (const auto lives = lives_.find(conversation.opener); lives != lives_.end()) {
    for (const Life& life : lives->second) {
      if (life.end && life.end_record > conversation.dial) ended(*life.end, true);
    }
  }
  return seen;
}

Duration Evidence::time_running(std::string_view node, Duration from, Duration to) const {
  Duration running = to - from;
  const auto pauses = pauses_.find(node);
  if (pauses == pauses_.end()) return running;
  for (const auto& [begin, end] : pauses->second.list) {
    running -= std::max(std::min(end.value_or(to), to) - std::max(begin, from), Duration::zero());
  }
  return running;
}

bool Evidence::may_be_forgotten(std::string_view node, Duration at) const {
  if (end_ != nullptr && end_->reason != "done" && time_running(node, at, ended_at_) <= kAmbiguous) return true;
  if (disk_lies(node)) return true;
  const auto lives = lives_.find(node);
  if (lives == lives_.end()) return false;
  return std::ranges::any_of(lives->second, [&](const Life& life) {
    if (at < life.begin || (life.end && at > *life.end)) return false;
    return life.disk_failed || (life.crashed && time_running(node, at, *life.end) <= kAmbiguous);
  });
}

bool Evidence::queues_unseen() const {
  return end_ == nullptr || end_->reason == "events" || end_->reason == "recording" || end_->reason == "stuck";
}

std::vector<QueuedRecipient> Evidence::queue(const std::optional<Duration>& at) const {
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, QueuedRecipient> held;
  const auto& records = recording_.records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto* state = std::get_if<record::QueueState>(&records[i].what);
    if (state == nullptr || records[i].at != at.value_or(ended_at_)) continue;
    held[{state->node, state->message, state->recipient}] = QueuedRecipient{i, state};
  }
  std::vector<QueuedRecipient> list;
  for (const auto& [key, recipient] : held) list.push_back(recipient);
  return list;
}

std::vector<std::size_t> Evidence::around(std::size_t record) const {
  const auto& records = recording_.records;
  std::vector<std::size_t> list;
  const ConnectionId connection = connection_of(records[record]);
  const auto neighbour = [&](std::size_t i) {
    const auto& what = records[i].what;
    return connection_of(records[i]) == connection &&
           (std::holds_alternative<record::Octets>(what) || std::holds_alternative<record::Plain>(what));
  };
  if (connection != 0) {
    for (std::size_t i = record; i-- > 0 && list.size() < kNeighboursBefore;) {
      if (neighbour(i)) list.push_back(i);
      if (const auto* dial = std::get_if<record::Dial>(&records[i].what); dial && dial->connection == connection) break;
    }
    std::size_t after = 0;
    for (std::size_t i = record + 1; i < records.size() && after < kNeighboursAfter; ++i) {
      if (neighbour(i)) list.push_back(i), ++after;
    }
  }
  list.push_back(record);
  const auto fault = std::ranges::lower_bound(faults_, record);
  if (fault != faults_.begin()) list.push_back(*(fault - 1));
  std::ranges::sort(list);
  list.erase(std::ranges::unique(list).begin(), list.end());
  return list;
}

std::string hostname_of(const MtaPart& mta) {
  if (!mta.config.hostname.empty()) return mta.config.hostname;
  return mta.names.empty() ? mta.name : mta.names.front();
}

void add_records(std::vector<std::size_t>& to, const std::vector<std::size_t>& more) {
  to.insert(to.end(), more.begin(), more.end());
  std::ranges::sort(to);
  to.erase(std::ranges::unique(to).begin(), to.end());
}

}  // namespace postproof::sim
