// The rules of a scenario as a Behaviour: a rule matches when its event, its pattern, its window of time
// and its memory agree; of those that match the first one wins, and only it counts the match.
#include <fmt/format.h>

#include <map>
#include <tuple>
#include <utility>

#include "mta/base/text.h"
#include "sim/peer/peer.h"

namespace postproof::sim {
namespace {

class RuleBehaviour final : public Behaviour {
 public:
  RuleBehaviour(std::vector<Rule> rules, MonoTime start) : start_(start) {
    for (Rule& rule : rules) rules_.push_back(State{std::move(rule), 0, {}});
  }

  std::optional<Action> on(const PeerEvent& event) override {
    for (State& state : rules_) {
      if (fires(state, event)) return action_of(state.rule);
    }
    return std::nullopt;
  }

 private:
  using Triplet = std::tuple<std::string, std::string, std::string>;  // client, sender, argument

  struct State {
    Rule rule;
    std::uint64_t matches = 0;
    std::map<Triplet, MonoTime> first_seen;
  };

  bool fires(State& state, const PeerEvent& event) {
    const Rule& rule = state.rule;
    const bool anywhere = rule.on == "*" && event.on != "content";
    if (!anywhere && !equal_ignoring_case(rule.on, event.on)) return false;
    if (!glob_match(rule.match, event.argument, true) || !glob_match(rule.line_match, event.line, true)) return false;
    const Duration at = event.now - start_;
    if (rule.from && at < *rule.from) return false;
    if (rule.until && at >= *rule.until) return false;
    if (rule.first_seen) {
      const Triplet triplet(event.client, ascii_lower(event.sender), ascii_lower(event.argument));
      const MonoTime seen = state.first_seen.try_emplace(triplet, event.now).first->second;
      if (event.now - seen >= *rule.first_seen) return false;
    }
    ++state.matches;
    if (rule.nth && state.matches != *rule.nth) return false;
    if (rule.times && state.matches > *rule.times) return false;
    return true;
  }

  // What the rule is about, as the recording calls it. Empty: an exception, nothing is wrong.
  static std::string kind_of(const Rule& rule) {
    if (rule.form != ReplyForm::normal) return "smtp.malformed";
    if (!rule.early.empty()) return "smtp.early";
    if (!rule.extra.empty()) return "smtp.extra";
    if (rule.split != 0) return "smtp.split";
    if (!rule.raw.empty()) return "smtp.raw";
    if (!rule.reply.empty()) return "smtp.reply";
    return rule.delay > Duration::zero() ? "smtp.delay" : "";
  }

  static Action action_of(const Rule& rule) {
    Action action;
    action.reply = rule.reply;
    action.raw = rule.raw;
    action.form = rule.form;
    action.split = rule.split;
    action.every = rule.every;
    action.extra = rule.extra;
    action.early = rule.early;
    action.octets = rule.octets;
    action.delay = rule.delay;
    action.line = rule.line;
    action.keep_message = rule.take;
    const bool says_nothing = rule.reply.empty() && rule.raw.empty();
    switch (rule.act) {
      case Rule::Act::reply:
        action.fault = kind_of(rule);
        break;
      case Rule::Act::silence:
        action.silent = true;
        action.fault = "smtp.silence";
        break;
      case Rule::Act::close:
      case Rule::Act::reset:
        action.no_answer = says_nothing;
        action.then = rule.act == Rule::Act::close ? Action::Then::close : Action::Then::reset;
        action.fault = rule.act == Rule::Act::close ? "smtp.close" : "smtp.reset";
        break;
    }
    return action;
  }

  std::vector<State> rules_;
  MonoTime start_;
};

}  // namespace

std::unique_ptr<Behaviour> rule_behaviour(std::vector<Rule> rules, MonoTime start) {
  return std::make_unique<RuleBehaviour>(std::move(rules), start);
}

}  // namespace postproof::sim
