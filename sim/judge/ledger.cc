#include "sim/judge/ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/wire/dot.h"

namespace postproof::sim {

namespace {

// RCPT TO:<Postmaster> means the server's own (RFC 5321 section 4.5.1), whose mail goes to who is named to read it.
std::string recipient_key(std::string_view recipient, const MtaPart& mta) {
  const bool own = equal_ignoring_case(recipient, "postmaster") ||
                   equal_ignoring_case(recipient, "postmaster@" + hostname_of(mta));
  const auto& reader = mta.config.intake.postmaster;
  return mailbox_key(own && reader ? reader->to_string() : recipient);
}

// No reply to a final dot came back on this connection, although the dot was sent.
bool left_unanswered(const Evidence& evidence, const record::ClientMessage& message) {
  const Conversation* conversation = evidence.conversation(message.connection);
  if (conversation == nullptr) return true;
  return std::ranges::any_of(conversation->messages, [&](const HeardMessage& one) {
    return evidence.seen(*conversation, one.reply) != Seen::yes;
  });
}

// The client has said in RCPT that it wants no report of a failure (RFC 3461 section 4.1).
bool wants_no_report(const Evidence& evidence, const record::ClientMessage& message, std::string_view recipient) {
  const Conversation* conversation = evidence.conversation(message.connection);
  if (conversation == nullptr) return false;
  return std::ranges::any_of(conversation->commands, [&](const HeardCommand& command) {
    if (command.verb != "RCPT" || command.address != recipient) return false;
    const std::string parameters = ascii_upper(command.parameters);
    for (const std::string_view parameter : split(parameters, ' ')) {
      if (parameter.starts_with("NOTIFY=")) return !parameter.contains("FAILURE");
    }
    return false;
  });
}

// Where two texts part.
std::size_t first_difference(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

bool returned_header_fits(const Report& report, std::string_view content) {
  if (report.original_header.empty()) return true;
  const std::string_view returned = below_trace(report.original_header);
  const std::string original = with_crlf(header_of(below_received(content)));
  // A long header may have been cut.
  return original == returned || original == below_completion(returned) || (!returned.empty() && original.starts_with(returned)) ||
         (original.empty() && returned.empty());
}

Ledger::Ledger(Evidence& evidence) : evidence_(evidence) {
  enter_handovers();
  enter_arrivals();
  enter_transfers();
  if (evidence_.sight() == Sight::wire) {
    enter_refusals();
    excuse_unreported();
    return;
  }
  enter_events();
  enter_queues();
}

Account& Ledger::account(const std::string& sender, const std::string& recipient, std::size_t identity,
                         std::string_view content) {
  const auto [at, fresh] = index_.try_emplace({sender, recipient, identity}, accounts_.size());
  if (fresh) {
    by_mailboxes_[{sender, recipient}].push_back(accounts_.size());
    Account account;
    account.sender = sender;
    account.recipient = recipient;
    account.content = content;
    accounts_.push_back(std::move(account));
  }
  return accounts_[at->second];
}

Account* Ledger::find(const std::string& sender, const std::string& recipient, std::size_t identity) {
  const auto at = index_.find({sender, recipient, identity});
  return at == index_.end() ? nullptr : &accounts_[at->second];
}

Account* Ledger::neediest(const Mailboxes& mailboxes) {
  const auto at = by_mailboxes_.find(mailboxes);
  if (at == by_mailboxes_.end()) return nullptr;
  Account* best = nullptr;
  const auto room = [](const Account& account) {
    return static_cast<std::ptrdiff_t>(account.allowed()) - static_cast<std::ptrdiff_t>(account.ended());
  };
  for (const std::size_t i : at->second) {
    Account& account = accounts_[i];
    if (best == nullptr || std::pair(account.missing(), room(account)) > std::pair(best->missing(), room(*best))) {
      best = &account;
    }
  }
  return best;
}

void Ledger::enter_handovers() {
  for (const Handover& handover : evidence_.handovers()) {
    if (handover.mta == nullptr) continue;
    const record::ClientMessage& message = *handover.message;
    const bool unanswered = !message.acknowledged && message.reply.empty() && left_unanswered(evidence_, message);
    for (const std::string& recipient : message.recipients) {
      Account& entry = account(mailbox_key(message.sender), recipient_key(recipient, *handover.mta), handover.identity,
                               message.content);
      ++(message.acknowledged ? entry.acknowledged : unanswered ? entry.possible : entry.refused);
      entry.handovers.push_back(handover.record);
      entry.unreported = message.sender.empty() || wants_no_report(evidence_, message, recipient);
    }
  }
}

// Acknowledgements between an MTA and the next server that the MTA has not seen, or may have forgotten.
void Ledger::enter_transfers() {
  std::set<std::pair<ConnectionId, std::size_t>> kept;  // by peers
  for (const Arrival& arrival : evidence_.arrivals()) kept.emplace(arrival.message->connection, arrival.identity);
  for (const Conversation& conversation : evidence_.conversations()) {
    if (!conversation.smtp || !evidence_.is_mta(conversation.opener)) continue;
    for (const HeardMessage& message : conversation.messages) {
      const std::size_t identity = evidence_.identity(message.content);
      const Seen seen = evidence_.seen(conversation, message.reply);
      const HeardReply* reply = message.reply ? &conversation.replies[*message.reply] : nullptr;
      const bool positive = reply != nullptr && reply->positive();
      const bool taken = evidence_.is_mta(conversation.acceptor) ? positive || seen != Seen::yes
                                                                 : kept.contains({conversation.connection, identity});
      if (!taken) continue;
      const bool known =
          seen == Seen::yes && positive && !evidence_.may_be_forgotten(conversation.opener, *reply->arrived);
      if (known) continue;
      for (const std::string& recipient : message.recipients) {
        if (Account* entry = find(mailbox_key(message.sender), mailbox_key(recipient), identity)) ++entry->ambiguous;
      }
    }
  }
}

void Ledger::enter_arrivals() {
  for (const Arrival& arrival : evidence_.arrivals()) {
    if (!arrival.from_mta) continue;
    const std::string sender = mailbox_key(arrival.message->sender);
    for (const std::string& recipient : arrival.message->recipients) {
      const std::string key = mailbox_key(recipient);
      if (arrival.report) {
        Account& own = account(sender, key, arrival.identity, arrival.message->content);
        own.own_report = true;
        own.acknowledged = 1;
        ++own.delivered;
        own.ends.push_back(arrival.record);
        enter_report(arrival, key);
      } else if (Account* entry = find(sender, key, arrival.identity)) {
        ++entry->delivered;
        entry->ends.push_back(arrival.record);
      } else {
        strays_.push_back(Stray{describe_stray(arrival, key), arrival.record});
      }
    }
  }
}

void Ledger::enter_report(const Arrival& arrival, const std::string& to) {
  for (const ReportRecipient& group : arrival.report->recipients) {
    if (!equal_ignoring_case(group.action, "failed")) continue;  // others end nothing
    const std::string about = mailbox_key(group.address());
    if (!reports_seen_.emplace(arrival.identity, to, about).second) continue;
    Account* best = nullptr;
    const auto known = by_mailboxes_.find({to, about});
    for (const std::size_t i : known == by_mailboxes_.end() ? std::vector<std::size_t>{} : known->second) {
      Account& entry = accounts_[i];
      if (!returned_header_fits(*arrival.report, entry.content)) continue;
      if (best == nullptr || entry.missing() > best->missing()) best = &entry;
    }
    if (best == nullptr) {
      strays_.push_back(
          Stray{fmt::format("report to <{}> about <{}>: nobody has sent such a message", escape(to), escape(about)),
                arrival.record});
      continue;
    }
    ++best->reported;
    best->ends.push_back(arrival.record);
  }
}

// Failures that no report has come of: suppressed since nobody is to be told, or told in a report that is under
// way, or that has failed itself. This leans on the MTAs' own word, which check_events holds to the wire.
void Ledger::enter_events() {
  struct Known {
    std::string sender;
    bool own;
  };
  std::map<Mailboxes, Known> messages;  // by node and queue id
  for (const EventSeen& seen : evidence_.events()) {
    const std::string id(seen.field("message"));
    if (seen.event->name == "accepted") {
      const bool own = seen.field("session") == "0" || !seen.field("bounce_of").empty();
      messages[{seen.event->node, id}] = Known{mailbox_key(seen.field("sender")), own};
    }
    if (seen.event->name != "bounced" && seen.event->name != "expired") continue;
    const std::string recipient = mailbox_key(seen.field("recipient"));
    const auto at = messages.find({seen.event->node, id});
    const Known* known = at == messages.end() ? nullptr : &at->second;
    Account* unreported = known != nullptr && !known->sender.empty() ? neediest({known->sender, recipient}) : nullptr;
    if (unreported != nullptr && !unreported->unreported) unreported = nullptr;
    if (known != nullptr && !known->sender.empty() && unreported == nullptr) {
      failed_.emplace(known->sender, recipient);
      continue;
    }
    Account* entry = unreported;
    if (entry == nullptr && (known == nullptr || !known->own)) entry = neediest({"", recipient});
    if (entry != nullptr && !entry->own_report && (known != nullptr || entry->missing() > 0)) {
      ++entry->suppressed;
      entry->ends.push_back(seen.record);
      if (evidence_.may_be_forgotten(seen.event->node, seen.at)) ++entry->ambiguous;
    } else {
      reports_pending_.insert(recipient);
      if (known == nullptr) failed_.emplace("*", recipient);
    }
  }
}

// In place of what MTAs tell: 5yz to a recipient, or to the whole message, is a failure that they know of.
void Ledger::enter_refusals() {
  const auto permanent = [](const Conversation& conversation, const std::optional<std::size_t>& reply) {
    return reply && conversation.replies[*reply].code / 100 == 5;
  };
  for (const Conversation& conversation : evidence_.conversations()) {
    if (!conversation.smtp || !evidence_.is_mta(conversation.opener)) continue;
    std::string sender;
    for (const HeardCommand& command : conversation.commands) {
      if (command.verb == "MAIL") sender = mailbox_key(command.address);
      if (command.verb == "RCPT" && permanent(conversation, command.reply)) refused(sender, mailbox_key(command.address));
    }
    for (const HeardMessage& message : conversation.messages) {
      if (!permanent(conversation, message.reply)) continue;
      for (const std::string& recipient : message.recipients) refused(mailbox_key(message.sender), mailbox_key(recipient));
    }
  }
}

void Ledger::refused(const std::string& sender, const std::string& recipient) {
  if (!sender.empty()) {
    failed_.emplace(sender, recipient);
  } else if (neediest({"", recipient}) == nullptr) {
    reports_pending_.insert(recipient);
  }
}

// That such a message has failed is told to nobody, and may be seen on no wire.
void Ledger::excuse_unreported() {
  for (Account& account : accounts_) {
    if (account.unreported && !account.own_report) account.suppressed += account.missing();
  }
}

void Ledger::enter_queues() {
  std::set<Mailboxes> own;  // node and queue id of messages that MTAs wrote
  for (const EventSeen& seen : evidence_.events()) {
    if (seen.event->name == "accepted" && !seen.field("bounce_of").empty()) {
      own.emplace(seen.event->node, seen.field("message"));
    }
  }
  for (const QueuedRecipient& held : evidence_.queue(std::nullopt)) {
    const record::QueueState& state = *held.state;
    if (state.status != "pending") continue;
    const std::string sender = mailbox_key(state.sender);
    const std::string recipient = mailbox_key(state.recipient);
    Account* entry = own.contains({state.node, state.message}) ? nullptr : neediest({sender, recipient});
    if (entry != nullptr && sender.empty() && (entry->own_report || entry->missing() == 0)) entry = nullptr;
    if (entry != nullptr) {
      ++entry->queued;
      entry->ends.push_back(held.record);
    } else if (sender.empty()) {
      reports_pending_.insert(recipient);
    } else {
      strays_.push_back(Stray{fmt::format("{} holds a message from <{}> for <{}> that nobody has sent", state.node,
                                          escape(sender), escape(recipient)),
                              held.record});
    }
  }
}

bool Ledger::report_under_way(const Account& account) const {
  return reports_pending_.contains(account.sender) &&
         (failed_.contains({account.sender, account.recipient}) || failed_.contains({"*", account.recipient}));
}

std::string Ledger::describe_stray(const Arrival& arrival, const std::string& recipient) const {
  const std::string sender = mailbox_key(arrival.message->sender);
  const std::string who =
      fmt::format("{} got a message from <{}> for <{}>", arrival.message->peer, escape(sender), escape(recipient));
  const auto near = by_mailboxes_.find({sender, recipient});
  if (near == by_mailboxes_.end()) {
    return who + (arrival.handed_over ? ": its content was handed over for other mailboxes" : " that nobody has sent");
  }
  const std::string_view sent = below_received(accounts_[near->second.front()].content);
  const std::string_view got = below_received(arrival.message->content);
  return fmt::format("{}: its content is not what was handed over: octet {} of {} differs ({} came)", who,
                     first_difference(sent, got), sent.size(), got.size());
}

}  // namespace postproof::sim
