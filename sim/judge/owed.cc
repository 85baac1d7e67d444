#include "sim/judge/owed.h"

#include <fmt/format.h>

#include "mta/base/text.h"
#include "sim/judge/ledger.h"

namespace postproof::sim {

std::vector<std::string> owed_messages(const Scenario& scenario, const Recording& recording) {
  std::vector<std::string> lines;
  Evidence evidence(scenario, recording, Sight::wire);
  const Ledger ledger(evidence);
  for (const Account& account : ledger.accounts()) {
    if (account.missing() == 0 || ledger.report_under_way(account)) continue;
    const auto& handover = std::get<record::ClientMessage>(recording.records[account.handovers.front()].what);
    lines.push_back(fmt::format("MTA {}: {} from <{}> for <{}>, neither delivered nor reported", handover.to,
                                account.missing() == 1 ? "a message" : fmt::format("{} messages", account.missing()),
                                escape(account.sender), escape(account.recipient)));
  }
  return lines;
}

}  // namespace postproof::sim
