// The report of a failed run: each failure at its line, wanted over nearest, the wire around it, the replay command.
#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/recording/text_view.h"
#include "sim/run/run.h"

namespace postproof::sim {

namespace {

constexpr std::size_t kWireLinesMax = 12;  // of one failure
constexpr std::size_t kWidth = 150;
constexpr std::size_t kSourceMax = 110;

// The scenario's own words where there are some, else what the judge calls it.
std::string headline(const Scenario& scenario, const Failure& failure) {
  if (failure.line == 0) return failure.expectation;
  std::string text = fmt::format(":{} ", failure.line);
  if (failure.line <= scenario.source.size() && failure.expectation.starts_with("expect ")) {
    std::string source(trim(scenario.source[failure.line - 1]));
    if (source.size() > kSourceMax) source = source.substr(0, kSourceMax - 3) + "...";
    const std::string_view kind = std::string_view(failure.expectation).substr(7);
    // A long expectation may be a table of its own: [expect.delivered].
    return text + (source.starts_with(kind) ? "expect " + source : failure.expectation);
  }
  return text + failure.expectation;
}

std::string shell_word(std::string_view word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-=,+@%:").find(c) != std::string_view::npos;
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

void tell(const Scenario& scenario, const Recording& recording, const Failure& failure, std::string& text) {
  text += fmt::format("  {}\n", headline(scenario, failure));
  text += fmt::format("     wanted   {}\n", failure.wanted);
  text += fmt::format("     nearest  {}\n", failure.nearest.empty() ? "nothing" : failure.nearest);
  // The last ones tell most.
  const std::size_t first = failure.records.size() > kWireLinesMax ? failure.records.size() - kWireLinesMax : 0;
  if (first > 0) text += fmt::format("       ... {} more before these\n", first);
  for (std::size_t i = first; i < failure.records.size(); ++i) {
    text += fmt::format("       {}\n", text_line(recording, failure.records[i], kWidth));
  }
}

}  // namespace

std::string failure_report(const Scenario& scenario, const RunResult& result) {
  if (result.judgement.ok()) return "";
  const Recording& recording = result.recording;
  std::string text = fmt::format("FAIL {}{} seed={}   {} virtual\n", recording.scenario,
                                 recording.variant.empty() ? "" : fmt::format(" [{}]", recording.variant),
                                 recording.seed, view_time(result.virtual_time));
  for (const Failure& failure : result.judgement.failures) tell(scenario, recording, failure, text);
  text += fmt::format("  {} expectation{} passed\n", result.judgement.passed, result.judgement.passed == 1 ? "" : "s");
  text += fmt::format("  replay: postproof run {}{} --seed {}\n", shell_word(recording.scenario),
                      recording.variant.empty() ? "" : " --only " + shell_word(recording.variant), recording.seed);
  return text;
}

}  // namespace postproof::sim
