#include "mta/queue/lanes.h"

#include <algorithm>
#include <utility>

#include "mta/base/check.h"

namespace postproof::queue {

void Lanes::add(const SitePointer& site, MessageId message, const Recipients& recipients, int priority) {
  State& state = sites_[site->key];
  if (!state.site) state.limit = limits_.per_site;
  state.site = site;
  if (state.remembered) remembered_.erase(*std::exchange(state.remembered, std::nullopt));
  Recipients& leg = state.legs[message];
  if (leg.empty()) {
    state.order[priority].push_back(message);
    ++waiting_;
  }
  leg.insert(leg.end(), recipients.begin(), recipients.end());
  place(site->key, state);
}

bool Lanes::allowed(std::size_t klass) const {
  if (lanes_ >= limits_.all) return false;
  const bool trouble = klass == none_yet_trouble || klass == some_trouble;
  if (trouble && trouble_lanes_ >= (limits_.all + 1) / 2) return false;
  const bool has_some = klass == some || klass == some_trouble;
  return !has_some || lanes_ < limits_.all - limits_.all / 4;
}

// Puts the site where it belongs among those that want a lane, or nowhere.
void Lanes::place(const std::string& key, State& state) {
  const bool wants = state.legs.size() > state.starting && state.lanes < state.limit;
  const std::size_t klass = (state.lanes > 0 ? some : none_yet) + (state.trouble ? 1 : 0);
  const int less_urgent = state.order.empty() ? 0 : -state.order.begin()->first;
  if (state.turn && wants && state.turn->first == klass && state.turn->second.less_urgent == less_urgent) return;
  if (state.turn) turns_[state.turn->first].erase(state.turn->second);
  state.turn.reset();
  if (!wants) return;
  state.turn = {klass, Turn{less_urgent, next_turn_++}};
  turns_[klass][state.turn->second] = key;
}

std::optional<Lanes::SitePointer> Lanes::open_next() {
  for (std::size_t klass = 0; klass < kClasses; ++klass) {
    if (turns_[klass].empty() || !allowed(klass)) continue;
    const std::string key = turns_[klass].begin()->second;
    State& state = sites_[key];
    // The next of its class comes first the next time.
    turns_[klass].erase(turns_[klass].begin());
    state.turn.reset();
    ++lanes_;
    ++state.lanes;
    ++state.starting;
    if (state.trouble) ++trouble_lanes_;
    place(key, state);
    return state.site;
  }
  return std::nullopt;
}

std::optional<std::pair<MessageId, Lanes::Recipients>> Lanes::take(const std::string& site, bool first) {
  const auto at = sites_.find(site);
  PP_CHECK(at != sites_.end() && at->second.lanes > 0, "a lane of a site that has none asks for a leg");
  State& state = at->second;
  if (first) --state.starting;
  std::optional<std::pair<MessageId, Recipients>> taken;
  if (!state.order.empty()) {
    const auto most_urgent = state.order.begin();
    const MessageId message = most_urgent->second.front();
    most_urgent->second.pop_front();
    if (most_urgent->second.empty()) state.order.erase(most_urgent);
    taken.emplace(message, std::move(state.legs[message]));
    state.legs.erase(message);
    --waiting_;
  }
  place(site, state);
  return taken;
}

void Lanes::ended(const std::string& site, bool asked) {
  State& state = sites_.at(site);
  if (!asked) --state.starting;
  --state.lanes;
  --lanes_;
  if (state.trouble) --trouble_lanes_;
  place(site, state);
  retire_if_unused(site);
}

void Lanes::note_success(const std::string& site) {
  const auto at = sites_.find(site);
  if (at == sites_.end()) return;
  State& state = at->second;
  if (state.trouble) trouble_lanes_ -= state.lanes;
  state.trouble = false;
  if (state.limit < limits_.per_site && ++state.successes >= state.limit) {
    ++state.limit;
    state.successes = 0;
  }
  place(site, state);
  if (state.remembered) remembered_.erase(*std::exchange(state.remembered, std::nullopt));
  retire_if_unused(site);
}

void Lanes::note_trouble(const std::string& site) {
  const auto at = sites_.find(site);
  if (at == sites_.end()) return;
  State& state = at->second;
  if (!state.trouble) trouble_lanes_ += state.lanes;
  state.trouble = true;
  const unsigned others = state.lanes > 0 ? state.lanes - 1 : 0;
  state.limit = std::clamp(others, std::min(kInTroubleMin, limits_.per_site), state.limit);
  state.successes = 0;
  place(site, state);
}

// A site without lanes and legs goes, but for what is known of its trouble.
void Lanes::retire_if_unused(const std::string& key) {
  const auto at = sites_.find(key);
  State& state = at->second;
  if (state.lanes > 0 || !state.legs.empty() || state.remembered) return;
  if (!state.trouble) {
    sites_.erase(at);
    return;
  }
  state.remembered = next_turn_++;
  remembered_[*state.remembered] = key;
  if (remembered_.size() <= kRememberedMax) return;
  sites_.erase(remembered_.begin()->second);
  remembered_.erase(remembered_.begin());
}

}  // namespace postproof::queue
