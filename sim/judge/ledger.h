// The books of a run: what clients handed over, recipient by recipient, and what became of it.
//
// An account is a mailbox of a message: sender, recipient and content below the trace. Credit is what the
// MTAs owe: one for each acknowledged handover. Debit is how it ended: delivered, reported, still queued, or
// suppressed (a failure that nobody is told of: its sender is null, or wants no report). Between them stand ambiguous
// acknowledgements: each allows, and does not demand, one more end.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/judge/evidence.h"

namespace postproof::sim {

struct Account {
  std::string sender, recipient;
  std::string_view content;      // as handed over, or as it arrived when an MTA wrote it itself
  bool own_report = false;       // written by an MTA
  bool unreported = false;       // nobody is told when it fails: the sender is null, or has said so (RFC 3461 section 4.1)
  std::size_t acknowledged = 0;  // handed over, and 250 came back
  std::size_t possible = 0;      // handed over whole, and no answer came back
  std::size_t refused = 0;       // handed over whole or in part, and refused, or never ended
  std::size_t ambiguous = 0;     // times that an acknowledgement within the run may not have been seen or kept
  std::size_t delivered = 0, reported = 0, queued = 0, suppressed = 0;
  std::vector<std::size_t> handovers, ends;  // records

  std::size_t ended() const { return delivered + reported + queued + suppressed; }
  std::size_t missing() const { return ended() < acknowledged ? acknowledged - ended() : 0; }
  std::size_t allowed() const { return acknowledged + possible + ambiguous; }
};

// Something that arrived or is held and belongs to no account.
struct Stray {
  std::string what;
  std::size_t record = 0;
};

class Ledger {
 public:
  explicit Ledger(Evidence& evidence);

  const std::vector<Account>& accounts() const { return accounts_; }
  const std::vector<Stray>& strays() const { return strays_; }
  // Whether a report to this sender stands in some queue, or has failed itself: it may be about any of the
  // sender's recipients of whom an MTA has told that they failed.
  bool report_under_way(const Account& account) const;

 private:
  using Mailboxes = std::pair<std::string, std::string>;  // sender, recipient

  Account& account(const std::string& sender, const std::string& recipient, std::size_t identity,
                   std::string_view content);
  Account* find(const std::string& sender, const std::string& recipient, std::size_t identity);
  // The account of these mailboxes that lacks an end most; null: there is none.
  Account* neediest(const Mailboxes& mailboxes);

  void enter_handovers();
  void enter_transfers();
  void enter_arrivals();
  void enter_report(const Arrival& arrival, const std::string& to);
  void enter_events();
  void enter_queues();
  void enter_refusals();
  void refused(const std::string& sender, const std::string& recipient);
  void excuse_unreported();
  std::string describe_stray(const Arrival& arrival, const std::string& recipient) const;

  Evidence& evidence_;
  std::vector<Account> accounts_;
  std::map<std::tuple<std::string, std::string, std::size_t>, std::size_t> index_;
  std::map<Mailboxes, std::vector<std::size_t>> by_mailboxes_;
  std::set<std::tuple<std::size_t, std::string, std::string>> reports_seen_;  // content, to, final recipient
  std::set<std::string> reports_pending_;                                     // to whom
  std::set<Mailboxes> failed_;  // sender and recipient; sender "*": not known
  std::vector<Stray> strays_;
};

// Whether the header that a report gives back is that of this content, trace aside. A report without one fits all.
bool returned_header_fits(const Report& report, std::string_view content);

}  // namespace postproof::sim
