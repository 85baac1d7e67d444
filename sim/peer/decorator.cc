#include "sim/peer/decorator.h"

#include <algorithm>
#include <map>
#include <string>

#include "mta/base/text.h"
#include "sim/peer/peer.h"

namespace postproof::sim {

namespace {

Action refusal(const std::vector<std::string>& reply, std::uint32_t line, std::string kind) {
  Action action;
  action.reply = reply;
  action.line = line;
  action.fault = std::move(kind);
  return action;
}

// Of an action at the dot: the message stays with the peer.
bool takes_message(const std::optional<Action>& action) {
  if (!action) return true;
  if (action->silent || action->no_answer) return action->keep_message;
  if (!action->raw.empty()) return action->raw.starts_with('2');
  return action->reply.empty() || action->reply.front().starts_with('2');
}

class RuleDecorator final : public Decorator {
 public:
  RuleDecorator(Rule rule, MonoTime start) : rule_(rule_behaviour({std::move(rule)}, start)) {}
  std::optional<Action> on(const PeerEvent& event, Behaviour& inner) override {
    auto action = rule_->on(event);
    return action ? std::move(action) : inner.on(event);
  }

 private:
  std::unique_ptr<Behaviour> rule_;
};

class QuotaDecorator final : public Decorator {
 public:
  explicit QuotaDecorator(Quota quota) : quota_(std::move(quota)) {}
  std::optional<Action> on(const PeerEvent& event, Behaviour& inner) override {
    if (event.on == "RCPT" && is_full(event.argument)) return refusal(quota_.reply, quota_.line, "smtp.quota");
    auto action = inner.on(event);
    if (event.on == "dot" && takes_message(action)) {
      for (const std::string& recipient : event.recipients) {
        Used& used = boxes_[ascii_lower(recipient)];
        ++used.messages;
        used.octets += event.size;
      }
    }
    return action;
  }

 private:
  struct Used {
    std::uint64_t messages = 0, octets = 0;
  };
  bool is_full(const std::string& mailbox) const {
    if (!glob_match(quota_.match, mailbox, true)) return false;
    const auto at = boxes_.find(ascii_lower(mailbox));
    const Used used = at == boxes_.end() ? Used{} : at->second;
    return (quota_.messages && used.messages >= *quota_.messages) || (quota_.octets && used.octets >= *quota_.octets);
  }

  Quota quota_;
  std::map<std::string, Used> boxes_;
};

// A bucket holds time, not tokens: per / count of it is one token, and it fills as time goes.
class RateDecorator final : public Decorator {
 public:
  explicit RateDecorator(RateLimit rate) : rate_(std::move(rate)), token_(rate_.per / static_cast<std::int64_t>(rate_.count)) {}
  std::optional<Action> on(const PeerEvent& event, Behaviour& inner) override {
    if (event.on != rate_.on || take_token(event)) return inner.on(event);
    Action action = refusal(rate_.reply, rate_.line, "smtp.rate");
    if (event.on == "connect") action.then = Action::Then::close;
    return action;
  }

 private:
  struct Bucket {
    Duration held{};
    MonoTime filled{};  // as of then
  };
  bool take_token(const PeerEvent& event) {
    const Duration room = token_ * static_cast<std::int64_t>(rate_.burst);
    Bucket& bucket = buckets_.try_emplace(rate_.each_client ? event.client : std::string(), Bucket{room, event.now}).first->second;
    bucket.held = std::min(room, bucket.held + (event.now - bucket.filled));
    bucket.filled = event.now;
    if (bucket.held < token_) return false;
    bucket.held -= token_;
    return true;
  }

  RateLimit rate_;
  Duration token_;
  std::map<std::string, Bucket> buckets_;
};

class SizeDecorator final : public Decorator {
 public:
  explicit SizeDecorator(SizeLimit limit) : limit_(std::move(limit)) {}
  std::optional<Action> on(const PeerEvent& event, Behaviour& inner) override {
    if (event.on == "dot" && event.size > limit_.octets) return refusal(limit_.reply, limit_.line, "smtp.size");
    return inner.on(event);
  }

 private:
  SizeLimit limit_;
};

class KeywordDecorator final : public Decorator {
 public:
  explicit KeywordDecorator(KeywordChange change) : change_(std::move(change)) {}
  std::optional<Action> on(const PeerEvent& event, Behaviour& inner) override {
    auto action = inner.on(event);
    if (event.on != "EHLO") return action;
    const std::vector<std::string>& lines = action && !action->reply.empty() ? action->reply : event.normal;
    const bool whole = !action || (action->raw.empty() && !action->silent && !action->no_answer);
    if (!whole || lines.empty() || !lines.front().starts_with("250")) return action;
    Action changed = action ? *action : Action{};
    changed.reply = changed_lines(lines);
    changed.line = change_.line;
    changed.fault = "smtp.keywords";
    return changed;
  }

 private:
  std::vector<std::string> changed_lines(const std::vector<std::string>& lines) const {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      std::string text = lines[i].size() > 4 ? lines[i].substr(4) : std::string();
      const std::string_view keyword = std::string_view(text).substr(0, text.find(' '));
      const bool removed = std::ranges::any_of(change_.remove, [&](const std::string& one) { return equal_ignoring_case(one, keyword); });
      if (i > 0 && removed) continue;
      if (i > 0 && change_.garble && text.size() > 2) text[2] = '?';
      texts.push_back(std::move(text));
    }
    texts.insert(texts.end(), change_.add.begin(), change_.add.end());
    std::vector<std::string> changed;
    for (std::size_t i = 0; i < texts.size(); ++i) changed.push_back((i + 1 < texts.size() ? "250-" : "250 ") + texts[i]);
    return changed;
  }

  KeywordChange change_;
};

std::unique_ptr<Decorator> make(const Rule& rule, MonoTime start) { return std::make_unique<RuleDecorator>(rule, start); }
std::unique_ptr<Decorator> make(const Quota& quota, MonoTime) { return std::make_unique<QuotaDecorator>(quota); }
std::unique_ptr<Decorator> make(const RateLimit& rate, MonoTime) { return std::make_unique<RateDecorator>(rate); }
std::unique_ptr<Decorator> make(const SizeLimit& limit, MonoTime) { return std::make_unique<SizeDecorator>(limit); }
std::unique_ptr<Decorator> make(const KeywordChange& change, MonoTime) { return std::make_unique<KeywordDecorator>(change); }

}  // namespace

std::unique_ptr<Decorator> decorator_of(const PeerFault& fault, MonoTime start) {
  return std::visit([&](const auto& one) { return make(one, start); }, fault);
}

class DecoratedBehaviour::Below final : public Behaviour {
 public:
  Below(DecoratedBehaviour& all, std::size_t depth) : all_(all), depth_(depth) {}
  std::optional<Action> on(const PeerEvent& event) override { return all_.ask(depth_, event); }

 private:
  DecoratedBehaviour& all_;
  std::size_t depth_;
};

void DecoratedBehaviour::add(std::uint64_t id, std::unique_ptr<Decorator> decorator) {
  decorators_.emplace_back(id, std::move(decorator));
}

void DecoratedBehaviour::remove(std::uint64_t id) {
  std::erase_if(decorators_, [&](const auto& one) { return one.first == id; });
}

std::optional<Action> DecoratedBehaviour::on(const PeerEvent& event) { return ask(decorators_.size(), event); }

// `depth`: so many decorators are still to be asked.
std::optional<Action> DecoratedBehaviour::ask(std::size_t depth, const PeerEvent& event) {
  if (depth == 0) return inner_ ? inner_->on(event) : std::nullopt;
  Below below(*this, depth - 1);
  return decorators_[depth - 1].second->on(event, below);
}

std::shared_ptr<Behaviour> StandingBehaviours::of(const PeerPart& part, MonoTime start) {
  std::shared_ptr<Behaviour>& shared = by_peer_[part.like.empty() ? part.name : part.like];
  if (shared == nullptr && !(part.rules.empty() && part.faults.empty())) {
    auto decorated = std::make_shared<DecoratedBehaviour>(rule_behaviour(part.rules, start));
    for (const PeerFault& fault : part.faults) decorated->add(0, decorator_of(fault, start));
    shared = std::move(decorated);
  }
  return shared;
}

}  // namespace postproof::sim
