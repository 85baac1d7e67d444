// `header`: fields of the messages that peers have kept: any by its name, and the chain of Received fields.
#include <fmt/format.h>

#include "mta/base/text.h"
#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/judge/trace_field.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

constexpr std::size_t kQuotedMax = 80;

std::string quoted(std::string_view text) {
  return fmt::format("\"{}{}\"", escape(text.substr(0, kQuotedMax)), text.size() > kQuotedMax ? "..." : "");
}

// How many Received fields there are to be; none: no matter.
std::optional<std::size_t> wanted_hops(const ExpectHeader& expect) {
  if (expect.hops) return static_cast<std::size_t>(*expect.hops);
  if (!expect.received.empty()) return expect.received.size();
  return std::nullopt;
}

std::string named_mismatch(const ExpectHeader& expect, std::string_view header) {
  const auto values = header_values(header, expect.name);
  std::size_t good = 0;
  for (const std::string& value : values) {
    if (expect.value.empty() || glob_match(expect.value, value)) ++good;
  }
  if (expect.count ? good == *expect.count : good > 0) return "";
  if (values.empty()) return fmt::format("no field {}", expect.name);
  std::string text = counted(good, "such field", "such fields");
  return text + fmt::format("; {}: {}", expect.name, quoted(values.front()));
}

std::string clause_mismatch(const ExpectHeader::Hop& hop, const TraceField& field) {
  const auto differs = [](std::string_view name, std::string_view pattern, std::string_view clause) -> std::string {
    if (clause_matches(pattern, clause)) return "";
    return fmt::format("{} {}", name, clause.empty() ? "(none)" : quoted(clause));
  };
  for (std::string trouble : {differs("from", hop.from, field.from), differs("by", hop.by, field.by), differs("with", hop.with, field.with),
                              differs("id", hop.id, field.id), differs("for", hop.for_, field.for_)}) {
    if (!trouble.empty()) return trouble;
  }
  return "";
}

std::string trace_mismatch(const ExpectHeader& expect, std::string_view header) {
  const auto values = header_values(header, "Received");
  for (std::size_t i = 0; i < values.size() && i < expect.received.size(); ++i) {
    const std::string trouble = clause_mismatch(expect.received[i], read_trace_field(values[i]));
    if (!trouble.empty()) return fmt::format("Received number {} has {}", i + 1, trouble);
  }
  return values.size() == *wanted_hops(expect) ? "" : counted(values.size(), "Received field", "Received fields");
}

std::string mismatch(const ExpectHeader& expect, const Arrival& arrival) {
  const std::string_view header = header_of(arrival.message->content);
  if (!expect.name.empty()) {
    if (std::string trouble = named_mismatch(expect, header); !trouble.empty()) return trouble;
  }
  if (wanted_hops(expect)) return trace_mismatch(expect, header);
  return "";
}

std::string wanted_text(const ExpectHeader& expect) {
  std::string text;
  if (!expect.name.empty()) {
    text = expect.count ? counted(*expect.count, "field", "fields") + " " + expect.name : expect.name;
    if (!expect.value.empty()) text += fmt::format(": \"{}\"", expect.value);
  }
  if (const auto hops = wanted_hops(expect)) {
    text += (text.empty() ? "" : ", ") + counted(*hops, "Received field", "Received fields");
  }
  for (const ExpectHeader::Hop& hop : expect.received) {
    std::string clauses;
    for (const auto& [name, pattern] : {std::pair{"from", &hop.from}, std::pair{"by", &hop.by}, std::pair{"with", &hop.with},
                                        std::pair{"id", &hop.id}, std::pair{"for", &hop.for_}}) {
      if (!pattern->empty()) clauses += fmt::format("{}{} {}", clauses.empty() ? "" : " ", name, *pattern);
    }
    text += fmt::format(" | {}", clauses.empty() ? "any" : clauses);
  }
  if (!expect.rcpt.empty()) text += " in what is for " + expect.rcpt;
  if (!expect.at.empty()) text += " at " + expect.at;
  return text;
}

}  // namespace

std::optional<Failure> check(const ExpectHeader& expect, const Evidence& evidence) {
  Failure failure;
  failure.expectation = "expect header";
  bool any = false;
  for (const Arrival& arrival : evidence.arrivals()) {
    if (!expect.at.empty() && arrival.message->peer != expect.at) continue;
    bool for_it = expect.rcpt.empty();
    for (const std::string& recipient : arrival.message->recipients) for_it = for_it || mailbox_matches(expect.rcpt, recipient);
    if (!for_it) continue;
    any = true;
    const std::string trouble = mismatch(expect, arrival);
    if (trouble.empty()) continue;
    failure.wanted = wanted_text(expect);
    failure.nearest = fmt::format("{} {}: {}{}", arrival.message->peer, view_time(arrival.at), trouble, event_reference(arrival.record));
    failure.records = evidence.around(arrival.record);
    return failure;
  }
  if (any) return std::nullopt;
  failure.wanted = wanted_text(expect);
  failure.nearest = "nothing" + last_word(evidence, expect.rcpt.empty() ? "*" : expect.rcpt, failure.records);
  return failure;
}

}  // namespace postproof::sim
