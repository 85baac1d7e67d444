// What a reply means for good. RFC 5321 section 4.2.1: a 5yz is final, and the same is not tried again; a 4yz is not, and
// a client that gets it comes again, for as long as its configuration lets mail live.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "mta/base/text.h"
#include "sim/judge/invariants.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

// A reply that takes longer may find that its client has given up waiting for it.
constexpr Duration kPrompt = std::chrono::minutes{1};

// Node, sender, recipient.
using Mailboxes = std::tuple<std::string, std::string, std::string>;

struct Refusals {
  std::size_t taken = 0;  // messages that the node may have taken for the recipient, one for each time
  std::size_t refused = 0;
  std::size_t last = 0;  // record
};

// RFC 5321 section 4.5.3.1.10: 552 to RCPT may mean that there are too many of them, and then is as good as 452.
bool may_mean_too_many(const HeardReply& reply) {
  if (reply.code != 552 || reply.lines.empty()) return false;
  const std::string_view text = std::string_view(reply.lines.front()).substr(std::min<std::size_t>(4, reply.lines.front().size()));
  return !text.starts_with("5.") || text.starts_with("5.5.3");
}

// One connection that an MTA opened: whom its server has refused for good, so that the MTA knows.
class RefusalReader {
 public:
  RefusalReader(const Conversation& conversation, const Evidence& evidence, std::map<Mailboxes, Refusals>& all)
      : conversation_(conversation), evidence_(evidence), all_(all) {}

  void read() {
    for (std::size_t i = 0; i < conversation_.commands.size(); ++i) {
      const HeardCommand& command = conversation_.commands[i];
      const HeardReply* reply = reply_to(command.reply);
      // Replies that nobody asked for put both sides out of step, and who means what is open.
      if (reply == nullptr || !reply->arrived || *reply->arrived < command.sent) return;
      const bool final = reply->code / 100 == 5 && is_known(*command.reply, command.sent);
      if (command.verb == "MAIL") {
        sender_ = reply->positive() ? std::optional(command.address) : std::nullopt;
        accepted_.clear();
      } else if (command.verb == "RCPT" && reply->positive()) {
        accepted_.push_back(command.address);
      } else if (command.verb == "RCPT" && final && !may_mean_too_many(*reply)) {
        refuse(command.address, command.record);
      } else if (command.verb == "DATA" && final) {
        for (const std::string& recipient : accepted_) refuse(recipient, command.record);
      }
      if (conversation_.content_of(i) == nullptr) continue;
      for (const HeardMessage& message : conversation_.messages) {
        if (message.command != i) continue;
        const HeardReply* to_dot = reply_to(message.reply);
        if (to_dot == nullptr || !to_dot->arrived || *to_dot->arrived < message.sent) return;
        if (to_dot->code / 100 == 5 && is_known(*message.reply, message.sent)) {
          for (const std::string& recipient : message.recipients) refuse(recipient, message.record);
        }
      }
      sender_.reset();
    }
  }

 private:
  const HeardReply* reply_to(const std::optional<std::size_t>& reply) const {
    return reply && *reply < conversation_.replies.size() ? &conversation_.replies[*reply] : nullptr;
  }
  // The MTA has read it, has gone on, and has not forgotten it.
  bool is_known(std::size_t reply, Duration asked) const {
    const Duration arrived = *conversation_.replies[reply].arrived;
    if (arrived > asked + kPrompt || evidence_.seen(conversation_, reply) != Seen::yes) return false;
    if (evidence_.may_be_forgotten(conversation_.opener, arrived)) return false;
    const HeardCommand& last = conversation_.commands.back();
    const bool spoke = last.begun >= arrived;
    return spoke || (!conversation_.messages.empty() && conversation_.messages.back().begun >= arrived);
  }
  void refuse(const std::string& recipient, std::size_t record) {
    if (!sender_ || sender_->empty()) return;
    Refusals& refusals = all_[{conversation_.opener, mailbox_key(*sender_), mailbox_key(recipient)}];
    ++refusals.refused;
    refusals.last = record;
  }

  const Conversation& conversation_;
  const Evidence& evidence_;
  std::map<Mailboxes, Refusals>& all_;
  std::optional<std::string> sender_;
  std::vector<std::string> accepted_;
};

// A message is refused to a recipient for good once at the most.
void check_refusals(const Evidence& evidence, std::vector<Failure>& failures) {
  std::map<Mailboxes, Refusals> all;
  for (const Conversation& conversation : evidence.conversations()) {
    if (!conversation.smtp) continue;
    if (evidence.is_mta(conversation.opener)) RefusalReader(conversation, evidence, all).read();
    if (!evidence.is_mta(conversation.acceptor)) continue;
    for (const HeardMessage& message : conversation.messages) {
      for (const std::string& recipient : message.recipients) {
        ++all[{conversation.acceptor, mailbox_key(message.sender), mailbox_key(recipient)}].taken;
      }
    }
  }
  Breaches breaches("what is refused for good is not tried again", "one 5yz for each message and recipient", failures);
  if (evidence.disk_betrayed()) return;
  for (const auto& [mailboxes, refusals] : all) {
    const auto& [node, sender, recipient] = mailboxes;
    if (refusals.refused <= refusals.taken) continue;
    breaches.add(fmt::format("{} has taken {} from <{}> for <{}>, and been refused for good {} times", node,
                             refusals.taken == 1 ? "one message" : fmt::format("{} messages", refusals.taken),
                             escape(sender), escape(recipient), refusals.refused),
                 evidence.around(refusals.last));
  }
}

// A clock that was set makes mail older or younger than it is.
bool clocks_were_set(const Evidence& evidence) {
  return std::ranges::any_of(evidence.recording().records, [](const Record& record) {
    const auto* fault = std::get_if<record::Fault>(&record.what);
    return fault != nullptr && fault->kind.starts_with("clock.");
  });
}

// When a client began to hand over the first message that a report to `sender` about `recipient` can be about.
std::optional<Duration> first_handover(const Evidence& evidence, std::string_view sender, std::string_view recipient) {
  std::optional<Duration> first;
  for (const Handover& handover : evidence.handovers()) {
    const auto& recipients = handover.message->recipients;
    const bool about = mailbox_key(handover.message->sender) == mailbox_key(sender) &&
                       std::ranges::any_of(recipients, [&](const std::string& one) { return mailbox_key(one) == mailbox_key(recipient); });
    const Conversation* conversation = evidence.conversation(handover.message->connection);
    if (!about || conversation == nullptr) continue;
    const Duration began = evidence.recording().records[conversation->dial].at;
    first = std::min(first.value_or(began), began);
  }
  return first;
}

// RFC 3463 section 3.1: a status of class 4 says that it may pass. Who reports a failure with it has waited for as long as
// mail may live.
void check_patience(const Evidence& evidence, std::vector<Failure>& failures) {
  Breaches breaches("what may pass is not given up early", "failures of class 4 only when mail has come to its age", failures);
  if (evidence.scenario().mtas.empty() || clocks_were_set(evidence)) return;
  Duration life = Duration::max();  // whoever of them has given up
  for (const MtaPart& mta : evidence.scenario().mtas) life = std::min(life, mta.config.scheduler.retry.lifetime);
  for (const Arrival& arrival : evidence.arrivals()) {
    if (!arrival.from_mta || !arrival.report || arrival.message->recipients.empty()) continue;
    for (const ReportRecipient& group : arrival.report->recipients) {
      if (group.action != "failed" || !group.status.starts_with("4.")) continue;
      const auto began = first_handover(evidence, arrival.message->recipients.front(), group.address());
      if (!began || arrival.at >= *began + life) continue;
      breaches.add(fmt::format("<{}> is reported as failed with {} after {}, and mail lives {}", escape(group.address()),
                               escape(group.status), format_duration(arrival.at - *began), format_duration(life)),
                   evidence.around(arrival.record));
    }
  }
}

}  // namespace

void check_finality(const Evidence& evidence, std::vector<Failure>& failures) {
  check_refusals(evidence, failures);
  check_patience(evidence, failures);
}

}  // namespace postproof::sim
