// `dns`: what was asked at the world's resolver, by whom, how often, in which order.
#include <fmt/format.h>

#include "mta/base/text.h"
#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

struct Question {
  std::size_t record;
  const record::Dns* dns;
};

bool is(std::string_view name, std::string_view type, const record::Dns& dns) {
  return (name.empty() || glob_match(name, dns.name, true)) && (type.empty() || glob_match(type, dns.type, true));
}

std::vector<Question> questions(const ExpectDns& expect, const Evidence& evidence) {
  std::vector<Question> list;
  const auto& records = evidence.recording().records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto* dns = std::get_if<record::Dns>(&records[i].what);
    if (dns == nullptr || (!expect.by.empty() && dns->client != expect.by)) continue;
    if (!expect.transport.empty() && dns->transport != expect.transport) continue;
    if (!expect.answer.empty() && !glob_match(expect.answer, dns->answer, true)) continue;
    list.push_back(Question{i, dns});
  }
  return list;
}

std::optional<Failure> check_order(const ExpectDns& expect, const std::vector<Question>& asked, Failure failure) {
  std::size_t reached = 0;
  std::size_t last = 0;
  for (const Question& question : asked) {
    if (reached == expect.order.size()) break;
    if (!is(expect.order[reached].first, expect.order[reached].second, *question.dns)) continue;
    ++reached;
    last = question.record;
  }
  if (reached == expect.order.size()) return std::nullopt;
  failure.wanted = "questions in order";
  for (const auto& [name, type] : expect.order) failure.wanted += fmt::format(" | {} {}", escape(name), escape(type));
  failure.nearest = fmt::format("{} of {}, then nobody asked for {} {}", reached, expect.order.size(), escape(expect.order[reached].first),
                                escape(expect.order[reached].second));
  if (reached > 0) {
    failure.nearest += event_reference(last);
    failure.records = {last};
  }
  return failure;
}

}  // namespace

std::optional<Failure> check(const ExpectDns& expect, const Evidence& evidence) {
  const std::vector<Question> asked = questions(expect, evidence);
  Failure failure;
  failure.expectation = "expect dns";
  if (!expect.order.empty()) return check_order(expect, asked, std::move(failure));

  std::vector<Duration> times;
  std::vector<std::size_t> found;
  for (const Question& question : asked) {
    if (!is(expect.name, expect.type, *question.dns)) continue;
    times.push_back(evidence.recording().records[question.record].at);
    found.push_back(question.record);
  }
  const bool any_will_do = !expect.count && expect.when.empty();
  const bool good = any_will_do ? !times.empty() : hold(times, wanted_count(expect.count, expect.when, 1), expect.when);
  if (good) return std::nullopt;

  failure.wanted = any_will_do ? "a question" : counted(wanted_count(expect.count, expect.when, 1), "question", "questions");
  if (!expect.name.empty()) failure.wanted += " for " + escape(expect.name);
  if (!expect.type.empty()) failure.wanted += " " + escape(expect.type);
  if (!expect.by.empty()) failure.wanted += " by " + expect.by;
  if (!expect.transport.empty()) failure.wanted += " over " + expect.transport;
  if (!expect.answer.empty()) failure.wanted += " answered by " + escape(expect.answer);
  if (!expect.when.empty()) failure.wanted += fmt::format(", {}", to_text(expect.when));
  if (!times.empty()) {
    failure.nearest = fmt::format("{}: {}{}", counted(times.size(), "question", "questions"), to_text(times), event_reference(found.back()));
    failure.records = found;
  } else if (!asked.empty()) {
    const Question& last = asked.back();
    failure.nearest = fmt::format("others, the last for {} {}: {}{}", escape(last.dns->name), escape(last.dns->type), escape(last.dns->answer),
                                  event_reference(last.record));
    failure.records = {last.record};
  } else {
    failure.nearest = "nothing";
  }
  return failure;
}

}  // namespace postproof::sim
