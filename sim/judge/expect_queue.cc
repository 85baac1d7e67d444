// `queue`: what MTAs held when the runner looked, at a moment of the run or at its end.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

constexpr std::size_t kShownMax = 6;

std::string describe(const QueuedRecipient& held) {
  const record::QueueState& state = *held.state;
  return fmt::format("{} {} for <{}>{}", state.node, state.message, state.recipient,
                     state.due ? ", due at " + view_time(*state.due) : "");
}

// Since the MTA took the oldest of them. None: it told of none of them.
std::optional<Duration> oldest_age(const std::vector<QueuedRecipient>& held, const Evidence& evidence, Duration now) {
  std::optional<Duration> age;
  for (const EventSeen& seen : evidence.events()) {
    if (seen.event->name != "accepted" || seen.at > now) continue;
    const bool waits = std::ranges::any_of(held, [&](const QueuedRecipient& one) {
      return one.state->node == seen.event->node && one.state->message == seen.field("message");
    });
    if (waits && (!age || now - seen.at > *age)) age = now - seen.at;
  }
  return age;
}

}  // namespace

std::optional<Failure> check(const ExpectQueue& expect, const Evidence& evidence) {
  std::vector<QueuedRecipient> held;
  std::set<std::pair<std::string, std::string>> messages;
  for (const QueuedRecipient& recipient : evidence.queue(expect.t)) {
    const record::QueueState& state = *recipient.state;
    if (state.status != "pending") continue;
    if (!expect.mta.empty() && state.node != expect.mta) continue;
    if (!expect.rcpt.empty() && !mailbox_matches(expect.rcpt, state.recipient)) continue;
    held.push_back(recipient);
    messages.emplace(state.node, state.message);
  }
  const bool depth_holds = !expect.depth || messages.size() == *expect.depth;
  const bool next_holds = !expect.next || std::ranges::any_of(held, [&](const QueuedRecipient& recipient) {
    return recipient.state->due && within(*recipient.state->due, *expect.next);
  });
  const std::optional<Duration> age = oldest_age(held, evidence, expect.t.value_or(evidence.ended_at()));
  const bool age_holds = !expect.age || (age && within(*age, *expect.age));
  const bool unseen = !expect.t && evidence.queues_unseen();
  if (depth_holds && next_holds && age_holds && !unseen) return std::nullopt;

  Failure failure;
  failure.expectation = "expect queue";
  failure.wanted = expect.depth ? counted(*expect.depth, "message", "messages") : "a message";
  if (!expect.mta.empty()) failure.wanted += " at " + expect.mta;
  if (!expect.rcpt.empty()) failure.wanted += " for " + expect.rcpt;
  if (expect.t) failure.wanted += fmt::format(", seen at {}", view_time(*expect.t));
  if (expect.next) failure.wanted += fmt::format(", next attempt {}", to_text(*expect.next));
  if (expect.age) failure.wanted += fmt::format(", the oldest of age {}", to_text(*expect.age));
  failure.nearest = counted(messages.size(), "message", "messages");
  if (expect.age && age) failure.nearest += ", the oldest of age " + view_time(*age);
  if (unseen) failure.nearest = "not known: the run was stopped before anybody could look";
  for (std::size_t i = 0; i < held.size() && i < kShownMax; ++i) {
    failure.nearest += fmt::format("{}{}", i == 0 ? ": " : "; ", describe(held[i]));
    failure.records.push_back(held[i].record);
  }
  if (held.empty() && !expect.rcpt.empty()) failure.nearest += last_word(evidence, expect.rcpt, failure.records);
  if (!held.empty()) failure.nearest += event_reference(failure.records.front());
  std::ranges::sort(failure.records);
  return failure;
}

}  // namespace postproof::sim
