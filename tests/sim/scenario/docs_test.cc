// The examples of docs/scenarios.md are scenarios: each ```toml block that begins with a title loads, checks and passes.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "mta/base/text.h"
#include "sim/run/check.h"
#include "sim/run/report.h"
#include "sim/run/run.h"
#include "sim/scenario/load.h"
#include "sim/view/failure_report.h"

namespace postproof::sim {

namespace {

struct Example {
  std::size_t line;  // of the document
  std::string text;
};

std::vector<Example> examples(std::string_view document) {
  std::vector<Example> list;
  std::optional<Example> open;
  std::size_t number = 0;
  for (const std::string_view line : split(document, '\n')) {
    ++number;
    if (!open && line == "```toml") {
      open = Example{number + 1, ""};
    } else if (open && line == "```") {
      if (open->text.starts_with("title")) list.push_back(std::move(*open));
      open.reset();
    } else if (open) {
      open->text += std::string(line) + "\n";
    }
  }
  return list;
}

}  // namespace

TEST_CASE("every example of the reference is a scenario that passes") {
  const auto document = read_text_file(POSTPROOF_SCENARIOS_REFERENCE);
  REQUIRE(document.has_value());
  const std::vector<Example> all = examples(*document);
  CHECK(all.size() >= 5);
  const FileReader read_file = [](const std::string& path) -> std::expected<std::string, std::string> {
    auto text = read_text_file(path);
    if (!text) return std::unexpected(text.error().what);
    return std::move(*text);
  };
  for (const Example& example : all) {
    CAPTURE(example.line);
    const auto scenarios = load_variants(POSTPROOF_SCENARIOS_REFERENCE, example.text, read_file);
    std::string problems;
    for (const Problem& problem : scenarios ? check_scenario(scenarios->front()) : scenarios.error()) problems += problem.to_string() + "\n";
    REQUIRE(problems == "");
    for (const Scenario& scenario : *scenarios) {
      for (const RunResult& result : run_scenario(scenario, std::nullopt, std::nullopt)) {
        CHECK(failure_report(result.recording) == "");
      }
    }
  }
}

}  // namespace postproof::sim
