// `attempts`: when an MTA dispatched a recipient, from its own events.
#include <fmt/format.h>

#include "sim/judge/expect.h"
#include "sim/judge/moments.h"

namespace postproof::sim {

std::optional<Failure> check(const ExpectAttempts& expect, const Evidence& evidence) {
  std::vector<Duration> times;
  std::vector<std::size_t> records;
  for (const EventSeen& seen : evidence.events()) {
    if (seen.event->name != "attempt") continue;
    if (!expect.mta.empty() && seen.event->node != expect.mta) continue;
    if (!mailbox_matches(expect.rcpt, seen.field("recipient"))) continue;
    times.push_back(seen.at);
    records.push_back(seen.record);
  }
  const std::size_t count = wanted_count(expect.count, expect.when, times.size());
  if (hold(times, count, expect.when)) return std::nullopt;

  Failure failure;
  failure.expectation = "expect attempts";
  failure.wanted = fmt::format("{} for {}", counted(count, "attempt", "attempts"), expect.rcpt);
  if (!expect.when.empty()) failure.wanted += fmt::format(": {}", to_text(expect.when));
  if (times.empty()) {
    failure.nearest = "nothing";
    return failure;
  }
  failure.nearest = fmt::format("{}: {}", counted(times.size(), "attempt", "attempts"), to_text(times));
  // The first that is off, and the one before it.
  std::size_t off = 0;
  while (off < times.size() && off < expect.when.size() && within(times[off], expect.when[off])) ++off;
  if (off >= times.size()) off = times.size() - 1;
  failure.nearest += event_reference(records[off]);
  if (off > 0) failure.records.push_back(records[off - 1]);
  add_records(failure.records, evidence.around(records[off]));
  return failure;
}

}  // namespace postproof::sim
