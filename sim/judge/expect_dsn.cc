// `dsn`: delivery reports that arrived at peers; all that is said must hold for one recipient group.
#include <fmt/format.h>

#include "mta/base/text.h"
#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"
#include "sim/wire/dot.h"

namespace postproof::sim {

namespace {

// Patterns are over the value as it stands or over what follows its type ("rfc822;"). None fits a field that is absent.
bool matches(std::string_view pattern, std::string_view value) {
  if (pattern.empty()) return true;
  return !value.empty() && (glob_match(pattern, value, true) || glob_match(pattern, without_type(value), true));
}

// `start`: the wall time of virtual time 0.
std::string date_mismatch(std::string_view name, const std::optional<When>& wanted, std::string_view date, WallTime start) {
  if (!wanted) return "";
  if (date.empty()) return fmt::format("{}=(none)", name);
  const auto time = read_date(date);
  if (!time) return fmt::format("{}={}", name, date);
  const Duration at = *time - start;
  return within(at, *wanted) ? "" : fmt::format("{}={} ({})", name, view_time(at), date);
}

std::string mismatch(const ExpectDsn& expect, const ReportRecipient& group, WallTime start) {
  if (!matches(expect.final, group.final_recipient) && !matches(expect.final, group.address())) {
    return fmt::format("final={}", group.address());
  }
  if (!matches(expect.action, group.action)) return fmt::format("action={}", group.action);
  if (!matches(expect.status, group.status)) return fmt::format("status={}", group.status);
  if (!matches(expect.remote, group.remote_mta)) {
    return fmt::format("remote={}", group.remote_mta.empty() ? "(none)" : without_type(group.remote_mta));
  }
  if (!matches(expect.diagnostic, group.diagnostic_code)) {
    return fmt::format("diagnostic={}", group.diagnostic_code.empty() ? "(none)" : group.diagnostic_code);
  }
  if (!matches(expect.original, group.original_recipient)) {
    return fmt::format("original={}", group.original_recipient.empty() ? "(none)" : group.original_recipient);
  }
  if (std::string trouble = date_mismatch("last_attempt", expect.last_attempt, group.last_attempt_date, start); !trouble.empty()) return trouble;
  return date_mismatch("retry_until", expect.retry_until, group.will_retry_until, start);
}

std::string_view to_word(Report::Returned returned) {
  switch (returned) {
    case Report::Returned::nothing: return "none";
    case Report::Returned::headers: return "headers";
    case Report::Returned::full: return "full";
  }
  return "";
}

// What the report says of the message as a whole.
std::string mismatch(const ExpectDsn& expect, const Report& report, WallTime start) {
  if (!matches(expect.reporting, report.reporting_mta)) return fmt::format("reporting={}", without_type(report.reporting_mta));
  if (!expect.envid.empty() && (report.original_envelope_id.empty() || !glob_match(expect.envid, report.original_envelope_id))) {
    return fmt::format("envid={}", report.original_envelope_id.empty() ? "(none)" : report.original_envelope_id);
  }
  if (!expect.ret.empty() && expect.ret != to_word(report.returned)) return fmt::format("ret={}", to_word(report.returned));
  return date_mismatch("arrival", expect.arrival, report.arrival_date, start);
}

std::string mismatch(const ExpectDsn& expect, const Arrival& arrival, std::string_view recipient, WallTime start) {
  if (!expect.to.empty() && !mailbox_matches(expect.to, recipient)) return fmt::format("to <{}>", recipient);
  if (!expect.at.empty() && arrival.message->peer != expect.at) return fmt::format("at {}", arrival.message->peer);
  for (const std::string& text : expect.contains) {
    const std::string_view content = arrival.message->content;
    const bool there =
        content.find(text) != std::string_view::npos || content.find(with_crlf(text)) != std::string_view::npos;
    if (!there) return fmt::format("does not contain \"{}\"", escape(text));
  }
  return mismatch(expect, *arrival.report, start);
}

// None: the report as a whole, sent to this recipient, is what the expectation wants.
std::string report_mismatch(const ExpectDsn& expect, const Arrival& arrival, std::string_view recipient, WallTime start) {
  if (std::string trouble = mismatch(expect, arrival, recipient, start); !trouble.empty()) return trouble;
  std::string last;
  for (const ReportRecipient& group : arrival.report->recipients) {
    std::string trouble = mismatch(expect, group, start);
    if (trouble.empty()) return "";
    // What is told of the right recipient says more.
    if (last.empty() || matches(expect.final, group.final_recipient)) last = std::move(trouble);
  }
  return last;
}

std::string wanted_text(const ExpectDsn& expect, std::size_t count) {
  std::string text = counted(count, "report", "reports");
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) text += fmt::format(" {}={}", key, value);
  };
  add("to", expect.to);
  add("at", expect.at);
  add("action", expect.action);
  add("final", expect.final);
  add("status", expect.status);
  add("remote", expect.remote);
  add("diagnostic", expect.diagnostic);
  add("original", expect.original);
  add("reporting", expect.reporting);
  add("envid", expect.envid);
  add("ret", expect.ret);
  for (const auto& [key, moment] : {std::pair{"arrival", &expect.arrival}, std::pair{"last_attempt", &expect.last_attempt},
                                    std::pair{"retry_until", &expect.retry_until}}) {
    if (*moment) text += fmt::format(" {}={}", key, to_text(**moment));
  }
  for (const std::string& part : expect.contains) text += fmt::format(" contains=\"{}\"", escape(part));
  if (!expect.when.empty()) text += fmt::format(", {}", to_text(expect.when));
  return text;
}

}  // namespace

bool names(const ExpectDsn& expect, const Arrival& arrival, std::string_view recipient, const ReportRecipient& group, WallTime start) {
  return arrival.report && mismatch(expect, arrival, recipient, start).empty() && mismatch(expect, group, start).empty();
}

std::optional<Failure> check(const ExpectDsn& expect, const Evidence& evidence) {
  std::vector<Duration> times;
  std::vector<const Arrival*> found;
  const Arrival* near = nullptr;
  std::string near_trouble;
  for (const Arrival& arrival : evidence.arrivals()) {
    if (!arrival.report) continue;
    for (const std::string& recipient : arrival.message->recipients) {
      std::string trouble = report_mismatch(expect, arrival, recipient, evidence.recording().start);
      if (trouble.empty()) {
        found.push_back(&arrival);
        times.push_back(arrival.at);
      } else {
        near = &arrival;
        near_trouble = std::move(trouble);
      }
    }
  }

  const std::size_t count = wanted_count(expect.count, expect.when, 1);
  if (hold(times, count, expect.when)) return std::nullopt;

  Failure failure;
  failure.expectation = "expect dsn";
  failure.wanted = wanted_text(expect, count);
  if (!found.empty()) {
    failure.nearest = fmt::format("{} at {}{}", counted(found.size(), "report", "reports"), to_text(times),
                                  event_reference(found.back()->record));
    failure.records = evidence.around(found.back()->record);
  } else if (near != nullptr) {
    failure.nearest = fmt::format("{} {}: {}{}", near->message->peer, view_time(near->at), escape(near_trouble),
                                  event_reference(near->record));
    failure.records = evidence.around(near->record);
  } else {
    failure.nearest = "nothing" + last_word(evidence, expect.final.empty() ? "*" : expect.final, failure.records);
  }
  return failure;
}

}  // namespace postproof::sim
