// The ledger's balance: what was acknowledged and has no end, what has ended too often, what came from nowhere.
#include <fmt/format.h>

#include "mta/base/text.h"
#include "sim/judge/invariants.h"
#include "sim/judge/ledger.h"

namespace postproof::sim {

namespace {

std::string path(const Account& account) {
  return fmt::format("from <{}> for <{}>", escape(account.sender), escape(account.recipient));
}

std::string ends(const Account& account) {
  std::string text;
  const auto add = [&](std::size_t count, std::string_view what) {
    if (count != 0)
      text +=
          fmt::format("{}{} {}", text.empty() ? "" : ", ", what, count == 1 ? "once" : fmt::format("{} times", count));
  };
  add(account.delivered, "delivered");
  add(account.reported, "reported as failed");
  add(account.queued, "queued");
  add(account.suppressed, "suppressed");
  return text.empty() ? "nowhere" : text;
}

std::vector<std::size_t> records_of(const Evidence& evidence, const std::vector<std::size_t>& shown) {
  std::vector<std::size_t> records;
  for (std::size_t i = 0; i < shown.size() && i < kToldMax; ++i) add_records(records, evidence.around(shown[i]));
  return records;
}

// A report makes an honest end of a message whose content an MTA no longer has, and it should never have come to that.
void check_content_kept(const Evidence& evidence, std::vector<Failure>& failures) {
  Breaches damaged("what is stored can be read again", "no content damaged on a disk that keeps what was synced", failures);
  for (const EventSeen& seen : evidence.events()) {
    if (seen.event->name != "bounced" || seen.field("stage") != "storage" || evidence.disk_lies(seen.event->node)) continue;
    damaged.add(fmt::format("{} gives up {} for {}: {}", seen.event->node, escape(seen.field("message")),
                            escape(seen.field("recipient")), escape(seen.field("reason"))),
                evidence.around(seen.record));
  }
}

}  // namespace

void check_fate(Evidence& evidence, std::vector<Failure>& failures) {
  const Ledger ledger(evidence);
  const bool betrayed = evidence.disk_betrayed();

  Breaches lost("nothing acknowledged is lost", "each acknowledged recipient delivered, reported, queued or suppressed",
                failures);
  // What nobody could look at is not lost, and no MTA can keep what its disk drops behind its back.
  if (!evidence.queues_unseen() && !betrayed) {
    for (const Account& account : ledger.accounts()) {
      if (account.missing() == 0 || ledger.report_under_way(account)) continue;
      lost.add(fmt::format("{}: acknowledged {}, and {}", path(account),
                           account.acknowledged == 1 ? "once" : fmt::format("{} times", account.acknowledged),
                           ends(account)),
               records_of(evidence, account.handovers));
    }
  }

  Breaches doubled("each recipient ends in one way",
                   "one end for each acknowledgement, and one more for each ambiguous one", failures);
  for (const Account& account : ledger.accounts()) {
    if (account.ended() <= account.allowed() || (betrayed && account.acknowledged > 0)) continue;
    std::string what = fmt::format("{}{}: {}", account.own_report ? "report " : "", path(account), ends(account));
    if (account.acknowledged + account.possible == 0) {
      what += account.refused != 0 ? ", and was refused when it was handed over" : ", and was never handed over";
    } else {
      what += fmt::format(", and {} allowed", account.allowed());
    }
    doubled.add(std::move(what), records_of(evidence, account.ends));
  }

  Breaches strays("nothing arrives that nobody has sent",
                  "messages as clients handed them over, below the Received fields", failures);
  for (const Stray& stray : ledger.strays()) strays.add(stray.what, evidence.around(stray.record));
  check_content_kept(evidence, failures);
}

}  // namespace postproof::sim
