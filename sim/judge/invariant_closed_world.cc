// What arrives and no expectation speaks of.
#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/judge/expect.h"
#include "sim/judge/invariants.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

template <class Kind, class... Args>
bool any_names(const Scenario& scenario, const Args&... args) {
  return std::ranges::any_of(scenario.expects, [&](const Expect& expect) {
    const auto* rate = std::get_if<ExpectRate>(&expect.what);
    const auto* kind = std::get_if<Kind>(&(rate != nullptr ? *rate->of : expect).what);
    return kind != nullptr && names(*kind, args...);
  });
}

}  // namespace

void check_closed_world(const Evidence& evidence, std::vector<Failure>& failures) {
  const Scenario& scenario = evidence.scenario();
  if (scenario.open) return;
  Breaches breaches("closed world", "every message and report that arrives is named by an expectation (or open = true)",
                    failures);
  for (const Arrival& arrival : evidence.arrivals()) {
    const std::string place = fmt::format("{} {}", arrival.message->peer, view_time(arrival.at));
    for (const std::string& recipient : arrival.message->recipients) {
      if (!arrival.report) {
        if (any_names<ExpectDelivered>(scenario, arrival, std::string_view(recipient))) continue;
        breaches.add(fmt::format("{}: message from <{}> for <{}>{}", place, escape(arrival.message->sender),
                                 escape(recipient), event_reference(arrival.record)),
                     evidence.around(arrival.record));
        continue;
      }
      for (const ReportRecipient& group : arrival.report->recipients) {
        if (any_names<ExpectDsn>(scenario, arrival, std::string_view(recipient), group, evidence.recording().start)) continue;
        breaches.add(fmt::format("{}: report to <{}>: final={} action={} status={}{}", place, escape(recipient),
                                 escape(group.address()), escape(group.action), escape(group.status),
                                 event_reference(arrival.record)),
                     evidence.around(arrival.record));
      }
    }
  }
}

}  // namespace postproof::sim
