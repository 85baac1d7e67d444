// `log`: events of the MTAs, as their log has them.
#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/judge/event_line.h"
#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

// The first field that is not as it is to be; empty: all are.
std::string mismatch(const ExpectLog& expect, const record::MtaEvent& event) {
  for (const auto& [name, pattern] : expect.fields) {
    const std::string* value = event.find(name);
    if (value == nullptr) return fmt::format("has no {}", name);
    if (!glob_match(pattern, *value, true)) return fmt::format("{}={}", name, escape(*value));
  }
  return event_matches(event, expect.match) ? "" : escape(event_line(event));
}

}  // namespace

std::optional<Failure> check(const ExpectLog& expect, const Evidence& evidence) {
  std::vector<Duration> times;
  std::size_t last = 0;
  const EventSeen* near = nullptr;
  std::string near_trouble;
  for (const EventSeen& seen : evidence.events()) {
    if (seen.event->name != expect.event) continue;
    if (!expect.mta.empty() && seen.event->node != expect.mta) continue;
    std::string trouble = mismatch(expect, *seen.event);
    if (trouble.empty()) {
      times.push_back(seen.at);
      last = seen.record;
    } else {
      near = &seen;
      near_trouble = std::move(trouble);
    }
  }
  const bool any_will_do = !expect.count && expect.when.empty();
  const bool good = any_will_do ? !times.empty() : hold(times, wanted_count(expect.count, expect.when, 1), expect.when);
  if (good) return std::nullopt;

  Failure failure;
  failure.expectation = "expect log";
  failure.wanted = any_will_do ? expect.event : counted(wanted_count(expect.count, expect.when, 1), "event", "events") + " " + expect.event;
  if (!expect.mta.empty()) failure.wanted += " at " + expect.mta;
  for (const auto& [name, pattern] : expect.fields) failure.wanted += fmt::format(" {}={}", name, escape(pattern));
  if (expect.match != "*") failure.wanted += fmt::format(" like \"{}\"", escape(expect.match));
  if (!expect.when.empty()) failure.wanted += fmt::format(", {}", to_text(expect.when));
  if (!times.empty()) {
    failure.nearest = fmt::format("{}: {}{}", counted(times.size(), "event", "events"), to_text(times), event_reference(last));
    failure.records = evidence.around(last);
  } else if (near != nullptr) {
    failure.nearest = fmt::format("{} at {}: {}{}", expect.event, view_time(near->at), near_trouble, event_reference(near->record));
    failure.records = evidence.around(near->record);
  } else {
    failure.nearest = "nothing";
  }
  return failure;
}

}  // namespace postproof::sim
