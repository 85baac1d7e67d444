// Bounces: whom they are from, whom they go to, and whose message they are about.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "mta/base/text.h"
#include "sim/judge/invariants.h"
#include "sim/judge/ledger.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

// On the wire: a recipient that is the null path.
void check_recipients(const Evidence& evidence, Breaches& breaches) {
  for (const Conversation& conversation : evidence.conversations()) {
    if (!conversation.smtp || !evidence.is_mta(conversation.opener)) continue;
    for (const HeardCommand& command : conversation.commands) {
      if (command.verb != "RCPT") continue;
      if (command.has_path && command.address.empty()) {
        breaches.add(fmt::format("{} sends \"{}\"", conversation.opener, escape(command.line)),
                     evidence.around(command.record));
      }
    }
  }
}

// Reports that arrive: from whom, and about whose message.
void check_reports(const Evidence& evidence, Breaches& breaches) {
  for (const Arrival& arrival : evidence.arrivals()) {
    if (!arrival.from_mta || arrival.handed_over) continue;
    const record::PeerMessage& message = *arrival.message;
    if (!message.sender.empty()) {
      if (read_report(message.content)) {
        breaches.add(fmt::format("a report from <{}>, not from the null sender", escape(message.sender)),
                     evidence.around(arrival.record));
      }
      continue;
    }
    if (!arrival.report) continue;
    for (const ReportRecipient& group : arrival.report->recipients) {
      const auto about = [&](const Handover& handover, bool null) {
        if (handover.message->sender.empty() != null) return false;
        const auto& recipients = handover.message->recipients;
        const bool for_it = std::ranges::any_of(recipients, [&](const std::string& recipient) {
          return mailbox_key(recipient) == mailbox_key(group.address());
        });
        return for_it && returned_header_fits(*arrival.report, handover.message->content);
      };
      const bool null =
          std::ranges::any_of(evidence.handovers(), [&](const Handover& one) { return about(one, true); });
      const bool other =
          std::ranges::any_of(evidence.handovers(), [&](const Handover& one) { return about(one, false); });
      if (null && !other) {
        breaches.add(fmt::format("a report to <{}> about the message from the null sender for <{}>",
                                 escape(message.recipients.empty() ? std::string{} : message.recipients.front()),
                                 escape(group.address())),
                     evidence.around(arrival.record));
      }
    }
  }
}

// What an MTA tells of its own bounces: they may be under way still.
void check_events(const Evidence& evidence, Breaches& breaches) {
  std::map<std::pair<std::string_view, std::string_view>, const EventSeen*> accepted;  // by node and queue id
  for (const EventSeen& seen : evidence.events()) {
    if (seen.event->name != "accepted") continue;
    const std::string_view about = seen.field("bounce_of");
    if (!about.empty()) {
      if (!seen.field("sender").empty()) {
        breaches.add(fmt::format("{} writes a bounce from <{}>", seen.event->node, escape(seen.field("sender"))),
                     {seen.record});
      }
      const auto original = accepted.find({seen.event->node, about});
      if (original != accepted.end() && original->second->field("sender").empty()) {
        breaches.add(fmt::format("{} writes bounce {} about {}, which came from the null sender", seen.event->node,
                                 seen.field("message"), about),
                     {original->second->record, seen.record});
      }
    }
    accepted[{seen.event->node, seen.field("message")}] = &seen;
  }
}

}  // namespace

void check_null_sender(const Evidence& evidence, std::vector<Failure>& failures) {
  Breaches breaches("no bounce to or about the null sender", "bounces from the null sender, about messages of others",
                    failures);
  check_recipients(evidence, breaches);
  check_reports(evidence, breaches);
  check_events(evidence, breaches);
}

}  // namespace postproof::sim
