// `delivered`: what peers have kept, held against who, where, when, how often and with which content.
#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"
#include "sim/wire/dot.h"

namespace postproof::sim {

namespace {

constexpr std::size_t kListedMax = 6;  // arrivals that a failure tells one by one
constexpr std::size_t kQuotedMax = 60;

std::string quoted(std::string_view text) {
  const std::string escaped = escape(text.substr(0, kQuotedMax));
  return fmt::format("\"{}{}\"", escaped, text.size() > kQuotedMax ? "..." : "");
}

bool holds_text(std::string_view content, std::string_view text) {
  return content.find(text) != std::string_view::npos || content.find(with_crlf(text)) != std::string_view::npos;
}

bool holds_header(std::string_view content, std::string_view wanted) {
  const std::size_t colon = wanted.find(':');
  const std::string_view text = trim(wanted.substr(colon + 1));
  const auto values = header_values(header_of(content), wanted.substr(0, colon));
  return std::ranges::any_of(values, [&](const std::string& value) { return value.find(text) != std::string::npos; });
}

// Relays have put some Received fields on top; how many of those that stand there is not for us to say.
bool has_body(std::string_view content, std::string_view wanted) {
  std::string body = with_crlf(wanted);
  if (!body.empty() && !body.ends_with("\r\n")) body += "\r\n";
  while (true) {
    const std::string_view below = below_first_received(content);
    if (below == body) return true;
    if (below.size() == content.size()) return false;
    content = below;
  }
}

// The first thing that is not as the expectation wants it; empty: all is.
std::string mismatch(const ExpectDelivered& expect, const Arrival& arrival, std::string_view recipient) {
  const record::PeerMessage& message = *arrival.message;
  if (arrival.report) return "it is a delivery report (\"dsn\" expects those)";
  if (!expect.rcpt.empty() && !mailbox_matches(expect.rcpt, recipient)) return fmt::format("for <{}>", recipient);
  if (!expect.at.empty() && message.peer != expect.at) return fmt::format("at {}", message.peer);
  if (!expect.from.empty()) {
    const std::string_view from = expect.from == "<>" ? std::string_view{} : std::string_view{expect.from};
    const bool equal = from.empty() ? message.sender.empty() : mailbox_matches(from, message.sender);
    if (!equal) return fmt::format("from <{}>", message.sender);
  }
  // Verified is encrypted too.
  const bool protected_so = expect.tls.empty() || expect.tls == arrival.protection ||
                            (expect.tls == "encrypted" && arrival.protection == "verified");
  if (!protected_so) return fmt::format("tls={}", arrival.protection);
  for (const std::string& text : expect.contains) {
    if (!holds_text(message.content, text)) return fmt::format("does not contain {}", quoted(text));
  }
  for (const std::string& header : expect.header) {
    if (holds_header(message.content, header)) continue;
    const auto name = std::string_view(header).substr(0, header.find(':'));
    const auto values = header_values(header_of(message.content), name);
    return values.empty() ? fmt::format("has no header field {}", name)
                          : fmt::format("{}: {}", name, quoted(values.front()));
  }
  if (expect.body && !has_body(message.content, *expect.body)) {
    return fmt::format("its content is {}", quoted(below_received(message.content)));
  }
  return "";
}

struct Candidate {
  const Arrival* arrival;
  std::string_view recipient;
};

std::string wanted_text(const ExpectDelivered& expect, std::size_t count) {
  std::string text = counted(count, "delivery", "deliveries");
  if (!expect.rcpt.empty()) text += fmt::format(" to {}", expect.rcpt);
  if (!expect.at.empty()) text += fmt::format(" at {}", expect.at);
  if (!expect.when.empty()) text += fmt::format(", {}", to_text(expect.when));
  if (!expect.from.empty()) text += fmt::format(", from {}", expect.from);
  if (!expect.tls.empty()) text += fmt::format(", tls={}", expect.tls);
  for (const std::string& part : expect.contains) text += fmt::format(", contains {}", quoted(part));
  for (const std::string& part : expect.header) text += fmt::format(", header {}", quoted(part));
  if (expect.body) text += fmt::format(", body {}", quoted(*expect.body));
  return text;
}

std::string describe(const Candidate& candidate) {
  return fmt::format("{} {} for <{}>", candidate.arrival->message->peer, view_time(candidate.arrival->at),
                     escape(candidate.recipient));
}

// Every arrival that the expectation names.
std::string list(const std::vector<Candidate>& found) {
  std::string text = counted(found.size(), "delivery", "deliveries") + ": ";
  for (std::size_t i = 0; i < found.size() && i < kListedMax; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", describe(found[i]));
  }
  if (found.size() > kListedMax) text += ", ...";
  return text + event_reference(found.back().arrival->record);
}

}  // namespace

bool names(const ExpectDelivered& expect, const Arrival& arrival, std::string_view recipient) {
  return mismatch(expect, arrival, recipient).empty();
}

std::optional<Failure> check(const ExpectDelivered& expect, const Evidence& evidence) {
  std::vector<Candidate> found;
  std::optional<Candidate> near;  // for the right recipient if there is one
  std::string near_trouble;
  for (const Arrival& arrival : evidence.arrivals()) {
    for (const std::string& recipient : arrival.message->recipients) {
      std::string trouble = mismatch(expect, arrival, recipient);
      if (trouble.empty()) {
        found.push_back(Candidate{&arrival, recipient});
      } else if (expect.rcpt.empty() || mailbox_matches(expect.rcpt, recipient)) {
        near = Candidate{&arrival, recipient};
        near_trouble = std::move(trouble);
      }
    }
  }

  std::vector<Duration> times;
  for (const Candidate& candidate : found) times.push_back(candidate.arrival->at);
  const std::size_t count = wanted_count(expect.count, expect.when, 1);
  if (hold(times, count, expect.when)) return std::nullopt;

  Failure failure;
  failure.expectation = "expect delivered";
  failure.wanted = wanted_text(expect, count);
  if (!found.empty()) {
    failure.nearest = list(found);
    for (const Candidate& candidate : found) {
      if (failure.records.size() < kListedMax) add_records(failure.records, evidence.around(candidate.arrival->record));
    }
  } else if (near) {
    failure.nearest = fmt::format("{}: {}{}", describe(*near), near_trouble, event_reference(near->arrival->record));
    failure.records = evidence.around(near->arrival->record);
  } else {
    failure.nearest = "nothing" + last_word(evidence, expect.rcpt.empty() ? "*" : expect.rcpt, failure.records);
  }
  return failure;
}

}  // namespace postproof::sim
