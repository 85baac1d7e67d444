// The two claims of an MTA that others rely on. "accepted" stands for a 250 to a final dot that it sent;
// "delivered" for one that it got. Where a connection was cut or a node crashed in between, either may
// lack the other.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "mta/base/text.h"
#include "sim/judge/invariants.h"

namespace postproof::sim {

namespace {

// How many times a claim was made, and how often the wire says that it must and may have been.
struct Count {
  std::size_t events = 0, least = 0, most = 0;
  std::vector<std::size_t> records;  // some that show it
};
using Counts = std::map<std::pair<std::string, std::string>, Count>;  // by node and mailbox

void note(Count& count, std::size_t record) {
  if (count.records.size() < kToldMax) count.records.push_back(record);
}

void count_accepted(const Evidence& evidence, Counts& counts) {
  for (const Conversation& conversation : evidence.conversations()) {
    if (!conversation.smtp || !evidence.is_mta(conversation.acceptor)) continue;
    for (const HeardMessage& message : conversation.messages) {
      Count& count = counts[{conversation.acceptor, mailbox_key(message.sender)}];
      const bool positive = message.reply && conversation.replies[*message.reply].positive();
      if (positive) ++count.least;
      if (positive || !message.reply) ++count.most;
      note(count, message.record);
    }
  }
  for (const EventSeen& seen : evidence.events()) {
    // Session 0: a message that the MTA has written itself.
    if (seen.event->name != "accepted" || seen.field("session") == "0") continue;
    Count& count = counts[{seen.event->node, mailbox_key(seen.field("sender"))}];
    ++count.events;
    note(count, seen.record);
  }
}

void count_delivered(const Evidence& evidence, Counts& counts) {
  for (const Conversation& conversation : evidence.conversations()) {
    if (!conversation.smtp || !evidence.is_mta(conversation.opener)) continue;
    for (const HeardMessage& message : conversation.messages) {
      if (!message.reply || !conversation.replies[*message.reply].positive()) continue;
      const Seen seen = evidence.seen(conversation, message.reply);
      if (seen == Seen::no) continue;
      const Duration arrived = *conversation.replies[*message.reply].arrived;
      const bool surely = seen == Seen::yes && !evidence.may_be_forgotten(conversation.opener, arrived);
      for (const std::string& recipient : message.recipients) {
        Count& count = counts[{conversation.opener, mailbox_key(recipient)}];
        if (surely) ++count.least;
        ++count.most;
        note(count, conversation.replies[*message.reply].record);
      }
    }
  }
  for (const EventSeen& seen : evidence.events()) {
    if (seen.event->name != "delivered") continue;
    Count& count = counts[{seen.event->node, mailbox_key(seen.field("recipient"))}];
    ++count.events;
    note(count, seen.record);
  }
}

void compare(const Evidence& evidence, const Counts& counts, std::string_view event, std::string_view wire,
             Breaches& breaches) {
  for (const auto& [key, count] : counts) {
    if (count.events >= count.least && count.events <= count.most) continue;
    std::vector<std::size_t> shown;
    for (const std::size_t record : count.records) add_records(shown, evidence.around(record));
    const std::size_t nearest = count.events < count.least ? count.least : count.most;
    breaches.add(fmt::format("{} tells \"{}\" {} times for <{}>, and {} {}", key.first, event, count.events,
                             escape(key.second), nearest, wire),
                 std::move(shown));
  }
}

}  // namespace

void check_events(const Evidence& evidence, std::vector<Failure>& failures) {
  Breaches breaches("events agree with the wire", "as many events as positive replies to final dots", failures);
  Counts accepted, delivered;
  count_accepted(evidence, accepted);
  compare(evidence, accepted, "accepted", "went out as 250", breaches);
  count_delivered(evidence, delivered);
  compare(evidence, delivered, "delivered", "came in as 250", breaches);
}

}  // namespace postproof::sim
