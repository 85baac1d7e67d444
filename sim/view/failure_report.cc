#include "sim/view/failure_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/recording/served.h"
#include "sim/recording/view_time.h"
#include "sim/view/text_view.h"

namespace postproof::sim {

namespace {

constexpr std::size_t kWireLinesMax = 12;  // of one failure
constexpr std::size_t kWidth = 150;
constexpr std::size_t kSourceMax = 110;

void tell(const Recording& recording, const record::Failure& failure, std::string& text) {
  const std::string at = failure.line == 0 ? "" : fmt::format(":{} ", failure.line);
  text += fmt::format("  {}{}\n", at, failure_headline(recording, failure));
  text += fmt::format("     wanted   {}\n", failure.wanted);
  text += fmt::format("     nearest  {}\n", failure.nearest.empty() ? "nothing" : failure.nearest);
  // The last ones tell most.
  const std::size_t first = failure.events.size() > kWireLinesMax ? failure.events.size() - kWireLinesMax : 0;
  if (first > 0) text += fmt::format("       ... {} more before these\n", first);
  for (std::size_t i = first; i < failure.events.size(); ++i) {
    text += fmt::format("       {}\n", text_line(recording, failure.events[i], kWidth));
  }
}

// "v6,1,true" for "ip=v6 segment=1 pipelining=true", as --only takes it; what has one axis, or odd values, as it stands.
std::string short_variant(const std::string& variant) {
  std::string values;
  const auto words = split(variant, ' ');
  for (const std::string_view word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || word.find(',') != std::string_view::npos) return variant;
    values += (values.empty() ? "" : ",") + std::string(word.substr(equals + 1));
  }
  return words.size() == 1 ? variant : values;
}

}  // namespace

std::string failure_headline(const Recording& recording, const record::Failure& failure) {
  if (failure.line == 0 || failure.line > recording.source.size() || !failure.expectation.starts_with("expect ")) {
    return failure.expectation;
  }
  std::string source(trim(recording.source[failure.line - 1]));
  if (source.size() > kSourceMax) source = source.substr(0, kSourceMax - 3) + "...";
  const std::string_view kind = std::string_view(failure.expectation).substr(7);
  // A long expectation may be a table of its own: [expect.delivered].
  return source.starts_with(kind) ? "expect " + source : failure.expectation;
}

std::string shell_word(std::string_view word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return is_alnum(c) || std::string_view("/._-=,+@%:").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string replay_command(const Recording& recording) {
  if (was_served(recording)) return fmt::format("postproof serve {}", shell_word(recording.scenario));
  return fmt::format("postproof run {}{} --seed {}", shell_word(recording.scenario),
                     recording.variant.empty() ? "" : " --only " + shell_word(short_variant(recording.variant)),
                     recording.group_size == 0 ? recording.seed : recording.group_begin);
}

std::string failure_report(const Recording& recording) {
  if (recording.records.empty()) return "";
  const Record& last = recording.records.back();
  const auto* verdict = std::get_if<record::Verdict>(&last.what);
  if (verdict == nullptr || verdict->failed == 0) return "";
  const std::string group = recording.group_size == 0
                                ? ""
                                : fmt::format(" of {} to {}", recording.group_begin, recording.group_begin + (recording.group_size - 1));
  std::string text = fmt::format("FAIL {}{} seed={}{}   {}\n", recording.scenario,
                                 recording.variant.empty() ? "" : fmt::format(" [{}]", recording.variant),
                                 recording.seed, group, view_time(last.at) + (was_served(recording) ? "" : " virtual"));
  for (const Record& record : recording.records) {
    if (const auto* failure = std::get_if<record::Failure>(&record.what)) tell(recording, *failure, text);
  }
  text += fmt::format("  {} expectation{} passed\n", verdict->held, verdict->held == 1 ? "" : "s");
  text += fmt::format("  replay: {}\n", replay_command(recording));
  return text;
}

}  // namespace postproof::sim
