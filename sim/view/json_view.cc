#include "sim/view/json_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <optional>
#include <set>

#include "mta/base/text.h"
#include "sim/view/failure_report.h"
#include "sim/view/hosts.h"
#include "sim/view/readable.h"
#include "sim/view/steps.h"

namespace postproof::sim {
namespace {

namespace json = boost::json;

constexpr std::uint16_t kDnsPort = 53;

json::value time_of(const std::optional<Duration>& at) {
  if (!at) return nullptr;
  return at->count();
}

std::string_view role_word(ViewHost::Role role) {
  switch (role) {
    case ViewHost::Role::client: return "client";
    case ViewHost::Role::mta: return "mta";
    case ViewHost::Role::peer: return "peer";
    case ViewHost::Role::dns: break;
  }
  return "dns";
}

std::string_view line_word(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::content: return "content";
    case Step::Kind::fin: return "fin";
    case Step::Kind::reset: return "reset";
    case Step::Kind::tls: return "tls";
    default: return "line";
  }
}

// An array that takes no more than so many, and knows how many it did not.
class Bounded {
 public:
  explicit Bounded(std::size_t limit) : limit_(limit) {}
  template <class Value>
  void add(Value value) {
    if (array_.size() < limit_) {
      array_.push_back(std::move(value));
    } else {
      ++left_out_;
    }
  }
  json::array take() { return std::move(array_); }
  std::size_t left_out() const { return left_out_; }
  std::size_t size() const { return array_.size(); }

 private:
  std::size_t limit_;
  std::size_t left_out_ = 0;
  json::array array_;
};

struct ConnectionStory {
  ConnectionId id = 0;
  std::string from, to, address;
  bool dns = false;
  Duration dial{};
  std::optional<Duration> established, end;
  std::string refused;
  bool reset = false;
  std::array<bool, 2> ended{};
  std::string tls;         // the version, or "failed"
  std::string dot;         // the reply to the last final dot
  std::string complaint;   // the first reply 4yz or 5yz: later ones may only follow from it
  std::size_t kept = 0;    // messages that were acknowledged
  std::size_t lines = 0, left_out = 0;
  json::array dialogue;

  // "good": a message went over; "later" and "bad": 4yz, 5yz; "cut", "refused"; "open"; "plain".
  std::string_view outcome() const {
    if (!refused.empty()) return "refused";
    if (kept > 0) return "good";
    if (complaint.starts_with('5')) return "bad";
    if (complaint.starts_with('4')) return "later";
    if (reset) return "cut";
    return end ? "plain" : "open";
  }
  std::string_view telling() const { return !refused.empty() ? refused : !dot.empty() ? dot : complaint; }
};

struct RecipientStory {
  explicit RecipientStory(std::size_t entries_max) : entries(entries_max) {}
  std::string host, message, recipient, sender;
  std::optional<Duration> accepted, ended;
  std::string outcome = "waiting";
  std::size_t attempts = 0;
  Bounded entries;
};

class Builder {
 public:
  Builder(const Recording& recording, const JsonViewLimits& limits)
      : recording_(recording), limits_(limits), hosts_(hosts_of(recording)), dns_(limits.dns), messages_(limits.messages),
        tls_(limits.tls), scripts_(limits.failures), failures_(limits.failures), queue_(limits.recipients) {}

  json::object build() {
    for (const Record& record : recording_.records) {
      at_ = record.at;
      std::visit([this](const auto& r) { take(r); }, record.what);
    }
    const std::set<ConnectionId> kept = choose_connections();
    take_dialogues(kept);
    json::object object;
    head(object);
    object["failures"] = failures_.take();
    object["hosts"] = hosts();
    object["connections"] = connections(kept);
    object["recipients"] = recipients();
    object["messages"] = messages_.take();
    object["dns"] = dns_.take();
    object["tls"] = tls_.take();
    object["faults"] = faults();
    object["scripts"] = scripts_.take();
    object["queue"] = queue_.take();
    object["source"] = source();
    left_out("failures", failures_.left_out());
    left_out("connections", connections_.size() - kept.size());
    left_out("messages", messages_.left_out());
    left_out("dns", dns_.left_out());
    left_out("tls", tls_.left_out());
    left_out("queue", queue_.left_out());
    object["left_out"] = std::move(left_out_);
    return object;
  }

 private:
  // --- What each record adds ---

  template <class Other>
  void take(const Other&) {}

  void take(const record::NodeState& r) {
    auto& downs = downs_[r.node];
    if (r.state != "start") {
      downs.push_back(json::array{at_.count(), nullptr, readable(r.state)});
    } else if (!downs.empty() && downs.back().as_array()[1].is_null()) {
      downs.back().as_array()[1] = at_.count();
    }
  }
  void take(const record::Dial& r) {
    ConnectionStory& story = connections_[r.connection];
    story.id = r.connection;
    story.from = r.from_node;
    story.to = r.to_node;
    story.address = r.to.to_string();
    story.dns = r.to.kind() == Endpoint::Kind::ip && r.to.port() == kDnsPort;
    story.dial = at_;
  }
  void take(const record::Established& r) { connections_[r.connection].established = at_; }
  void take(const record::Refused& r) {
    connections_[r.connection].refused = readable(r.reason);
    connections_[r.connection].end = at_;
  }
  void take(const record::Fin& r) { ended(r.connection, r.from); }
  void take(const record::Reset& r) {
    ConnectionStory& story = connections_[r.connection];
    story.reset = true;
    if (!story.end) story.end = at_;
  }
  void ended(ConnectionId id, Side side) {
    ConnectionStory& story = connections_[id];
    story.ended[static_cast<std::size_t>(side)] = true;
    if (story.ended[0] && story.ended[1] && !story.end) story.end = at_;
  }
  void take(const record::Tls& r) {
    ConnectionStory& story = connections_[r.connection];
    if (r.state == "established" && story.tls.empty()) story.tls = readable(r.version);
    if (r.state == "failed") story.tls = "failed";
    tls_.add(json::object{{"at", at_.count()}, {"connection", r.connection}, {"node", r.node},
                          {"state", readable(r.state)}, {"version", readable(r.version)},
                          {"cipher", readable(r.cipher)}, {"server_name", readable(r.server_name)},
                          {"verified", readable(r.verified)}, {"detail", readable(r.detail)}});
  }
  void take(const record::Dns& r) {
    dns_.add(json::object{{"at", at_.count()}, {"client", r.client}, {"server", r.server}, {"name", readable(r.name)},
                          {"type", readable(r.type)}, {"transport", readable(r.transport)},
                          {"answer", readable(r.answer)}});
  }
  void take(const record::PeerMessage& r) {
    message(r.peer, r.connection, "peer", r.sender, r.recipients, r.content, r.reply, r.accepted);
  }
  void take(const record::ClientMessage& r) {
    message(r.client, r.connection, "client", r.sender, r.recipients, r.content, r.reply, r.acknowledged);
  }
  void message(const std::string& host, ConnectionId id, std::string_view side, const std::string& sender,
               const std::vector<std::string>& recipients, const std::string& content, const std::string& reply,
               bool good) {
    if (const auto at = connections_.find(id); at != connections_.end()) {
      at->second.dot = readable(trim(std::string_view(reply).substr(0, reply.find('\r'))));
      if (good) ++at->second.kept;
    }
    json::array list;
    for (std::size_t i = 0; i < recipients.size() && i < limits_.recipients; ++i) list.push_back(json::string(readable(recipients[i])));
    messages_.add(json::object{{"at", at_.count()}, {"host", host}, {"connection", id}, {"side", side},
                               {"sender", readable(sender)}, {"recipients", std::move(list)},
                               {"octets", content.size()}, {"reply", readable(trim(reply))}, {"good", good}});
  }
  void take(const record::ScriptFailure& r) {
    scripts_.add(json::object{{"at", at_.count()}, {"node", r.node}, {"line", r.line}, {"wanted", readable(r.wanted)},
                              {"got", readable(r.got)}});
  }
  void take(const record::QueueState& r) {
    queue_.add(json::object{{"at", at_.count()}, {"node", r.node}, {"message", readable(r.message)},
                            {"sender", readable(r.sender)}, {"recipient", readable(r.recipient)},
                            {"status", readable(r.status)}, {"attempts", r.attempts}, {"due", time_of(r.due)}});
  }

  // A fault that lasts is one entry from its begin to its end.
  void take(const record::Fault& r) {
    if (r.detail == "ends") {
      const auto open = std::find_if(faults_.rbegin(), faults_.rend(), [&](const FaultStory& story) {
        return story.lasts && !story.end && story.fault->kind == r.kind && story.fault->where == r.where &&
               story.fault->line == r.line;
      });
      if (open != faults_.rend()) {
        open->end = at_;
        return;
      }
    }
    faults_.push_back(FaultStory{&r, at_, std::nullopt, r.detail == "begins"});
  }

  void take(const record::MtaEvent& r) {
    const auto field = [&](std::string_view key) {
      const std::string* found = r.find(key);
      return found == nullptr ? std::string() : *found;
    };
    const std::string message = field("message");
    if (r.name == "accepted") {
      accepted_[{r.node, message}] = {at_, field("sender")};
      return;
    }
    const bool final_word = r.name == "delivered" || r.name == "bounced" || r.name == "expired";
    if (!final_word && r.name != "attempt" && r.name != "deferred") return;
    RecipientStory& story = recipient(r.node, message, field("recipient"));
    if (r.name == "attempt") ++story.attempts;
    if (final_word) {
      story.outcome = r.name;
      story.ended = at_;
    }
    if (r.name == "deferred") story.outcome = "waiting";
    std::string text = field(r.name == "delivered" ? "reply" : "reason");
    if (r.name == "attempt") text = field("site");
    story.entries.add(json::object{{"at", at_.count()}, {"what", r.name}, {"number", story.attempts},
                                   {"host", readable(field("host"))}, {"stage", readable(field("stage"))},
                                   {"text", readable(text)}, {"retry_in", readable(field("retry_in"))}});
  }
  RecipientStory& recipient(const std::string& node, const std::string& message, const std::string& address) {
    const std::string key = fmt::format("{}\n{}\n{}", node, message, address);
    const auto [at, fresh] = recipient_index_.try_emplace(key, recipients_.size());
    if (!fresh) return recipients_[at->second];
    RecipientStory& story = recipients_.emplace_back(limits_.recipient_entries);
    story.host = node;
    story.message = readable(message);
    story.recipient = readable(address);
    if (const auto accepted = accepted_.find({node, message}); accepted != accepted_.end()) {
      story.accepted = accepted->second.first;
      story.sender = readable(accepted->second.second);
    }
    return story;
  }

  void take(const record::Failure& r) {
    json::array events;
    const std::size_t first = r.events.size() > limits_.failure_events ? r.events.size() - limits_.failure_events : 0;
    for (std::size_t i = first; i < r.events.size(); ++i) {
      if (r.events[i] >= recording_.records.size()) continue;
      const Step step = read_step(recording_, r.events[i]);
      if (step.connection != 0) spoken_of_.insert(step.connection);
      events.push_back(json::object{{"at", step.at.count()}, {"connection", step.connection}, {"from", readable(step.from)},
                                    {"to", readable(step.to)}, {"text", step.text}, {"lost", step.lost}});
    }
    failures_.add(json::object{{"line", r.line}, {"headline", readable(failure_headline(recording_, r))},
                               {"wanted", readable(r.wanted)},
                               {"nearest", r.nearest.empty() ? "nothing" : readable(r.nearest)},
                               {"events", std::move(events)}, {"left_out", first}});
  }
  void take(const record::End& r) { end_ = &r; }
  void take(const record::Verdict& r) { verdict_ = &r; }

  // --- Dialogues ---

  std::set<ConnectionId> choose_connections() {
    std::set<ConnectionId> kept;
    const auto take_if = [&](auto&& wanted) {
      for (const auto& [id, story] : connections_) {
        if (kept.size() >= limits_.connections) return;
        if (wanted(story)) kept.insert(id);
      }
    };
    take_if([&](const ConnectionStory& story) { return spoken_of_.contains(story.id); });
    take_if([](const ConnectionStory& story) { return !story.dns && story.kept == 0; });
    take_if([](const ConnectionStory& story) { return !story.dns; });
    take_if([](const ConnectionStory&) { return true; });
    return kept;
  }

  void take_dialogues(const std::set<ConnectionId>& kept) {
    StepOptions options;
    options.content_lines = limits_.content_lines;
    std::size_t all = 0;
    for (const Step& step : read_steps(recording_, options)) {
      const auto at = connections_.find(step.connection);
      if (at == connections_.end()) continue;
      ConnectionStory& story = at->second;
      const bool refusal = step.back && (step.text.starts_with('4') || step.text.starts_with('5'));
      if (refusal && story.complaint.empty() && step.kind == Step::Kind::line) story.complaint = step.text;
      const bool line = step.kind == Step::Kind::line || step.kind == Step::Kind::content ||
                        step.kind == Step::Kind::fin || step.kind == Step::Kind::reset || step.kind == Step::Kind::tls;
      if (!line || !kept.contains(step.connection)) continue;
      if (story.dialogue.size() >= limits_.lines || all >= limits_.lines_all) {
        ++story.left_out;
        continue;
      }
      ++all;
      story.dialogue.push_back(json::array{step.at.count(), step.back ? 1 : 0, line_word(step.kind), step.text,
                                           (step.lost ? 1 : 0) + (step.hidden ? 2 : 0)});
    }
  }

  // --- The parts of the object ---

  void head(json::object& object) {
    object["format"] = "postproof-run";
    object["version"] = 1;
    object["scenario"] = readable(recording_.scenario);
    object["title"] = readable(recording_.title);
    object["variant"] = readable(recording_.variant);
    object["seed"] = recording_.seed;
    object["start"] = format_rfc3339(recording_.start);
    object["replay"] = readable(replay_command(recording_));
    object["ended"] = recording_.records.empty() ? 0 : recording_.records.back().at.count();
    object["end"] = end_ == nullptr ? json::value(nullptr)
                                    : json::value(json::object{{"reason", readable(end_->reason)},
                                                               {"pending", readable(end_->pending)}});
    object["verdict"] = verdict_ == nullptr ? json::value(nullptr)
                                            : json::value(json::object{{"result", readable(verdict_->result)},
                                                                       {"held", verdict_->held},
                                                                       {"failed", verdict_->failed}});
  }

  json::array hosts() {
    json::array list;
    for (const ViewHost& host : hosts_) {
      list.push_back(json::object{{"name", host.name}, {"role", role_word(host.role)}, {"down", downs_[host.name]}});
    }
    return list;
  }

  json::array connections(const std::set<ConnectionId>& kept) {
    json::array list;
    for (auto& [id, story] : connections_) {
      if (!kept.contains(id)) continue;
      list.push_back(json::object{{"id", id}, {"from", story.from}, {"to", story.to}, {"address", story.address},
                                  {"dns", story.dns}, {"dial", story.dial.count()},
                                  {"established", time_of(story.established)}, {"end", time_of(story.end)},
                                  {"reset", story.reset}, {"tls", story.tls}, {"kept", story.kept},
                                  {"outcome", story.outcome()}, {"telling", story.telling()},
                                  {"lines", std::move(story.dialogue)}, {"left_out", story.left_out}});
    }
    return list;
  }

  json::array recipients() {
    Bounded list(limits_.recipients);
    for (RecipientStory& story : recipients_) {
      list.add(json::object{{"host", story.host}, {"message", story.message}, {"recipient", story.recipient},
                            {"sender", story.sender}, {"accepted", time_of(story.accepted)},
                            {"ended", time_of(story.ended)}, {"outcome", story.outcome},
                            {"attempts", story.attempts}, {"left_out", story.entries.left_out()},
                            {"entries", story.entries.take()}});
    }
    left_out("recipients", list.left_out());
    return list.take();
  }

  json::array faults() {
    Bounded list(limits_.faults);
    for (const FaultStory& story : faults_) {
      const auto host = host_of_fault(hosts_, story.fault->where);
      list.add(json::object{{"at", story.at.count()}, {"end", time_of(story.end)}, {"lasts", story.lasts},
                            {"kind", readable(story.fault->kind)}, {"where", readable(story.fault->where)},
                            {"host", host ? json::value(hosts_[*host].name) : json::value(nullptr)},
                            {"line", story.fault->line}, {"detail", readable(story.fault->detail)}});
    }
    left_out("faults", list.left_out());
    return list.take();
  }

  json::array source() {
    Bounded list(limits_.source);
    for (const std::string& line : recording_.source) list.add(json::string(readable(line)));
    left_out("source", list.left_out());
    return list.take();
  }

  void left_out(std::string_view what, std::size_t count) {
    if (count > 0) left_out_[what] = count;
  }

  struct FaultStory {
    const record::Fault* fault;
    Duration at;
    std::optional<Duration> end;
    bool lasts;
  };

  const Recording& recording_;
  const JsonViewLimits& limits_;
  const std::vector<ViewHost> hosts_;
  Duration at_{};
  std::map<ConnectionId, ConnectionStory> connections_;
  std::set<ConnectionId> spoken_of_;  // by failures
  std::map<std::string, json::array> downs_;
  std::map<std::pair<std::string, std::string>, std::pair<Duration, std::string>> accepted_;
  std::map<std::string, std::size_t> recipient_index_;
  std::vector<RecipientStory> recipients_;
  std::vector<FaultStory> faults_;
  Bounded dns_, messages_, tls_, scripts_, failures_, queue_;
  const record::End* end_ = nullptr;
  const record::Verdict* verdict_ = nullptr;
  json::object left_out_;
};

}  // namespace

std::string json_view(const Recording& recording, const JsonViewLimits& limits) {
  return json::serialize(Builder(recording, limits).build());
}

}  // namespace postproof::sim
