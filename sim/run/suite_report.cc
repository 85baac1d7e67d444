#include "sim/run/suite_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "mta/base/text.h"
#include "sim/run/report.h"
#include "sim/view/html_view.h"
#include "sim/view/page.h"
#include "sim/view/readable.h"

namespace postproof::sim {

namespace {

namespace json = boost::json;

constexpr std::size_t kSummaryReports = 30;
constexpr std::size_t kIndexReportLines = 12;  // of a run that failed; its page has all

std::string named(const std::string& path, const std::string& variant) {
  return variant.empty() ? path : fmt::format("{} [{}]", path, variant);
}

// XML 1.0 knows no control characters but blanks, and readable_lines leaves none.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : readable_lines(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string first_lines(std::string_view text, std::size_t lines) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < lines && end != std::string_view::npos; ++i) end = text.find('\n', i == 0 ? 0 : end + 1);
  if (end == std::string_view::npos || end + 1 >= text.size()) return std::string(text);
  return std::string(text.substr(0, end)) + "\n  ...";
}

// What failed first, in one line.
std::string_view headline(std::string_view report) {
  const std::size_t second = report.find('\n');
  if (second == std::string_view::npos || !report.starts_with("FAIL ")) return report.substr(0, second);
  const std::string_view rest = report.substr(second + 1);
  return trim(rest.substr(0, rest.find('\n')));
}

}  // namespace

void SuiteReport::add(const ScenarioOutcome& outcome) {
  if (!outcome.problems.empty()) {
    ++invalid_;
    Run run{outcome.path, "", "", "invalid", "", {}, {}, outcome.seconds};
    for (const Problem& problem : outcome.problems) run.report += problem.to_string() + "\n";
    runs_.push_back(std::move(run));
    return;
  }
  if (outcome.variants.empty()) return;
  ++(outcome.passed() ? passed_ : failed_);
  for (const VariantOutcome& variant : outcome.variants) {
    runs_.push_back(Run{outcome.path, variant.variant, outcome.title, variant.passed ? "passed" : "failed",
                        variant.failure, variant.files, variant.virtual_time,
                        outcome.seconds / static_cast<double>(outcome.variants.size())});
  }
}

std::string SuiteReport::index_page() const {
  json::array runs;
  for (const Run& run : runs_) {
    runs.push_back(json::object{{"path", readable(run.path)},
                                {"variant", readable(run.variant)},
                                {"title", readable(run.title)},
                                {"result", run.result},
                                {"base", readable(report_name(run.path, run.variant))},
                                {"files", json::array(run.files.begin(), run.files.end())},
                                {"virtual", run.virtual_time.count()},
                                {"failure", readable_lines(first_lines(run.report, kIndexReportLines))}});
  }
  const json::object data = {
      {"scenarios", json::object{{"passed", passed_}, {"failed", failed_}, {"invalid", invalid_}}},
      {"runs", std::move(runs)}};
  return fill_page(page::kIndexHtml, fmt::format("{} passed, {} failed – Postproof", passed_, failed_ + invalid_),
                   std::string(page::kCommonCss) + std::string(page::kIndexCss),
                   std::string(page::kCommonJs) + std::string(page::kIndexJs), json::serialize(data));
}

std::string SuiteReport::summary() const {
  Duration virtual_time{};
  for (const Run& run : runs_) virtual_time += run.virtual_time;
  // What is invalid did not run.
  std::string text = fmt::format("**{} passed, {} failed{}** – {} runs, {} of virtual time\n", passed_, failed_,
                                 invalid_ == 0 ? "" : fmt::format(", {} invalid", invalid_), runs_.size() - invalid_,
                                 format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(virtual_time)));
  std::size_t told = 0;
  for (const Run& run : runs_) {
    if (run.result == "passed") continue;
    if (++told > kSummaryReports) continue;
    // Indented, so that no line of it can end the block.
    text += fmt::format("\n### {} `{}`\n\n", run.result, named(readable(run.path), readable(run.variant)));
    std::string_view report = run.report;
    while (report.ends_with('\n')) report.remove_suffix(1);
    for (const std::string_view line : split(report, '\n')) text += "    " + readable(line) + '\n';
  }
  if (told > kSummaryReports) text += fmt::format("\nAnd {} more; the report's page has them all.\n", told - kSummaryReports);
  return text;
}

std::string SuiteReport::junit() const {
  std::size_t failures = 0, errors = 0;
  double seconds = 0;
  for (const Run& run : runs_) {
    failures += run.result == "failed" ? 1 : 0;
    errors += run.result == "invalid" ? 1 : 0;
    seconds += run.seconds;
  }
  const std::string counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\"", runs_.size(), failures, errors, seconds);
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += fmt::format("<testsuites name=\"postproof\" {0}>\n<testsuite name=\"postproof\" {0} skipped=\"0\">\n", counts);
  for (const Run& run : runs_) {
    // "scenarios/retry/greylist.toml" is the case "greylist" of the class "scenarios.retry".
    std::string folder = report_name(run.path, "");
    const std::size_t slash = folder.rfind('/');
    const std::string name = slash == std::string::npos ? folder : folder.substr(slash + 1);
    folder.resize(slash == std::string::npos ? 0 : slash);
    std::ranges::replace(folder, '/', '.');
    text += fmt::format("<testcase classname=\"{}\" name=\"{}\" file=\"{}\" time=\"{:.3f}\"",
                        folder.empty() ? "scenarios" : xml(folder), xml(named(name, run.variant)), xml(run.path),
                        run.seconds);
    if (run.result == "passed") {
      text += "/>\n";
      continue;
    }
    const std::string_view element = run.result == "failed" ? "failure" : "error";
    text += fmt::format(">\n<{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n</testcase>\n", element, run.result,
                        xml(headline(run.report)), xml(run.report));
  }
  return text + "</testsuite>\n</testsuites>\n";
}

}  // namespace postproof::sim
