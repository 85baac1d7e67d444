#include "sim/judge/expect.h"

#include <fmt/format.h>

#include "mta/base/text.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

std::optional<Failure> check(const Expect& expect, const Evidence& evidence) {
  return std::visit(
      [&](const auto& what) -> std::optional<Failure> {
        if constexpr (requires { check(what, evidence); }) return check(what, evidence);
        return std::nullopt;
      },
      expect.what);
}

bool is_of_group(const Expect& expect) {
  return std::holds_alternative<ExpectRate>(expect.what) || std::holds_alternative<ExpectDistribution>(expect.what);
}

namespace {

// What a client was told that could not hand a message for the recipient over: it never became an MTA's.
std::string refusal(const Evidence& evidence, std::string_view recipient_pattern, std::vector<std::size_t>& records) {
  const auto& conversations = evidence.conversations();
  for (auto at = conversations.rbegin(); at != conversations.rend(); ++at) {
    if (!at->smtp || evidence.is_mta(at->opener)) continue;
    if (!at->established) {
      add_records(records, {at->dial});
      return fmt::format("; {} could not connect to {}{}", at->opener, at->acceptor, event_reference(at->dial));
    }
    for (const HeardCommand& command : at->commands) {
      const bool meant = command.verb == "RCPT" && mailbox_matches(recipient_pattern, command.address);
      if ((!meant && command.verb != "MAIL") || !command.reply || at->replies[*command.reply].positive()) continue;
      const HeardReply& reply = at->replies[*command.reply];
      add_records(records, {reply.record});
      return fmt::format("; {} was told at {}: {}{}", at->opener, command.verb, escape(reply.on_one_line()),
                         event_reference(reply.record));
    }
  }
  return "";
}

}  // namespace

std::string last_word(const Evidence& evidence, std::string_view recipient_pattern, std::vector<std::size_t>& records) {
  const auto& events = evidence.events();
  for (auto at = events.rbegin(); at != events.rend(); ++at) {
    const std::string& name = at->event->name;
    if (name != "deferred" && name != "bounced" && name != "expired" && name != "delivered") continue;
    if (!mailbox_matches(recipient_pattern, at->field("recipient"))) continue;
    add_records(records, {at->record});
    const std::string_view why = name == "delivered" ? at->field("host") : at->field("reason");
    return fmt::format("; {} {} at {}: {}{}", at->event->node, name, view_time(at->at), escape(why),
                       event_reference(at->record));
  }
  return refusal(evidence, recipient_pattern, records);
}

}  // namespace postproof::sim
