// `end`: what was left when the run was over, and when that was.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

std::optional<Failure> check(const ExpectEnd& expect, const Evidence& evidence) {
  std::set<std::pair<std::string, std::string>> messages;
  std::vector<std::size_t> queued;
  for (const QueuedRecipient& held : evidence.queue(std::nullopt)) {
    if (held.state->status != "pending") continue;
    messages.emplace(held.state->node, held.state->message);
    queued.push_back(held.record);
  }
  std::vector<std::size_t> dials;
  for (const Conversation& conversation : evidence.conversations()) {
    if (conversation.open) dials.push_back(conversation.dial);
  }

  Failure failure;
  const auto compare = [&](bool holds, std::string wanted, std::string found, const std::vector<std::size_t>& records) {
    if (holds) return;
    failure.wanted += (failure.wanted.empty() ? "" : ", ") + wanted;
    failure.nearest += (failure.nearest.empty() ? "" : ", ") + found;
    add_records(failure.records, records);
  };
  if (expect.queue) {
    const bool unseen = evidence.queues_unseen();
    compare(!unseen && messages.size() == *expect.queue, fmt::format("queue={}", *expect.queue),
            unseen ? "queue not known" : fmt::format("queue={}", messages.size()), queued);
  }
  if (expect.connections) {
    compare(dials.size() == *expect.connections, fmt::format("connections={}", *expect.connections),
            fmt::format("connections={}", dials.size()), dials);
  }
  if (expect.when) {
    compare(within(evidence.ended_at(), *expect.when), fmt::format("end at {}", to_text(*expect.when)),
            fmt::format("end at {}", view_time(evidence.ended_at())), {});
  }
  if (failure.wanted.empty()) return std::nullopt;
  failure.expectation = "expect end";
  return failure;
}

}  // namespace postproof::sim
