// `reply`: what MTAs answered to clients of the simulation, as it crossed the wire.
#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

constexpr std::string_view kNone = "none";

// Something that a server was to answer.
struct Asked {
  std::size_t record = 0;  // of the reply; where there is none, of what was said
  Duration at{};           // when it was sent
  std::string_view verb, argument, line;
  const HeardReply* reply = nullptr;
};

std::vector<Asked> asked_on(const Conversation& conversation, const Recording& recording) {
  std::vector<Asked> list;
  const auto add = [&](std::string_view verb, std::string_view argument, std::string_view line, std::size_t record,
                       const std::optional<std::size_t>& reply) {
    Asked asked{record, recording.records[record].at, verb, argument, line, nullptr};
    if (reply && *reply < conversation.replies.size()) {
      asked.reply = &conversation.replies[*reply];
      asked.record = asked.reply->record;
      asked.at = asked.reply->sent;
    }
    list.push_back(asked);
  };
  add("connect", "", "the greeting", conversation.dial, std::size_t{0});
  for (std::size_t i = 0; i < conversation.commands.size(); ++i) {
    const HeardCommand& command = conversation.commands[i];
    add(command.verb, command.has_path ? command.address : command.argument, command.line, command.record, command.reply);
    for (const HeardMessage& message : conversation.messages) {
      if (message.command == i && conversation.by_data(message)) add("dot", "", "the final dot", message.record, message.reply);
    }
  }
  return list;
}

std::vector<Asked> all_asked(const ExpectReply& expect, const Evidence& evidence) {
  std::vector<Asked> list;
  for (const Conversation& conversation : evidence.conversations()) {
    if (!conversation.smtp || !conversation.established || !evidence.is_mta(conversation.acceptor)) continue;
    if (evidence.is_mta(conversation.opener)) continue;
    if (!expect.client.empty() && conversation.opener != expect.client) continue;
    if (!expect.mta.empty() && conversation.acceptor != expect.mta) continue;
    for (const Asked& asked : asked_on(conversation, evidence.recording())) {
      if (!expect.verb.empty() && asked.verb != expect.verb) continue;
      if (!glob_match(expect.match, asked.argument, true)) continue;
      list.push_back(asked);
    }
  }
  std::ranges::stable_sort(list, {}, &Asked::record);
  return list;
}

bool text_holds(std::string_view pattern, const HeardReply& reply) {
  return std::ranges::any_of(reply.lines, [&](std::string_view line) {
    return glob_match(pattern, line.substr(std::min<std::size_t>(4, line.size())), true);
  });
}

bool holds(const ExpectReply& expect, const Asked& asked) {
  if (asked.reply == nullptr) return expect.code == kNone;
  if (!expect.code.empty() && !glob_match(expect.code, fmt::format("{:03}", asked.reply->code))) return false;
  return expect.text.empty() || text_holds(expect.text, *asked.reply);
}

std::string describe(const Asked& asked) {
  return fmt::format("{} at {} to {}", asked.reply == nullptr ? "no reply" : escape(asked.reply->on_one_line()),
                     view_time(asked.at), escape(asked.line));
}

std::string wanted_text(const ExpectReply& expect) {
  std::string text = expect.count ? counted(*expect.count, "reply", "replies") : "every reply";
  if (!expect.verb.empty()) text += " to " + expect.verb;
  if (expect.match != "*") text += fmt::format(" {}", expect.match);
  if (expect.nth) text += fmt::format(", number {} of them", *expect.nth);
  if (!expect.client.empty()) text += " from " + expect.client;
  if (!expect.mta.empty()) text += " at " + expect.mta;
  if (!expect.code.empty()) text += fmt::format(" code={}", expect.code);
  if (!expect.text.empty()) text += fmt::format(" text=\"{}\"", expect.text);
  if (!expect.when.empty()) text += fmt::format(", {}", to_text(expect.when));
  return text;
}

}  // namespace

std::optional<Failure> check(const ExpectReply& expect, const Evidence& evidence) {
  std::vector<Asked> asked = all_asked(expect, evidence);
  if (expect.nth) {
    if (*expect.nth > asked.size()) {
      asked.clear();
    } else {
      asked = {asked[*expect.nth - 1]};
    }
  }
  std::vector<Duration> times;
  const Asked* off = nullptr;  // the first that is not as it is to be
  for (const Asked& one : asked) {
    if (holds(expect, one)) {
      times.push_back(one.at);
    } else if (off == nullptr) {
      off = &one;
    }
  }
  const bool all_wanted = !expect.count && expect.when.empty();
  const bool good = all_wanted ? off == nullptr && !asked.empty()
                               : hold(times, wanted_count(expect.count, expect.when, times.size()), expect.when);
  if (good) return std::nullopt;

  Failure failure;
  failure.expectation = "expect reply";
  failure.wanted = wanted_text(expect);
  if (asked.empty()) {
    failure.nearest = "nothing like it was asked";
    return failure;
  }
  const Asked& near = off != nullptr ? *off : asked.back();
  failure.nearest = describe(near) + event_reference(near.record);
  if (!all_wanted) failure.nearest = fmt::format("{} like it{}; {}", counted(times.size(), "reply", "replies"),
                                                 times.empty() ? "" : ": " + to_text(times), failure.nearest);
  failure.records = evidence.around(near.record);
  return failure;
}

}  // namespace postproof::sim
