#include "sim/run/suite_report.h"

#include <doctest/doctest.h>

namespace postproof::sim {
namespace {

ScenarioOutcome outcome(std::string path, std::string title, std::vector<VariantOutcome> variants) {
  ScenarioOutcome made;
  made.path = std::move(path);
  made.title = std::move(title);
  made.seconds = 0.5;
  made.variants = std::move(variants);
  return made;
}

SuiteReport sample() {
  SuiteReport report;
  report.add(outcome("scenarios/retry/greylist.toml", "greylisted", {VariantOutcome{"", true, 15min, "", {"html", "txt"}, {}}}));
  report.add(outcome("top.toml", "<b>\x01 & \"q\"",
                     {VariantOutcome{"disk_op=1", true, 1s, "", {}, {}},
                      VariantOutcome{"disk_op=2", false, 2s, "FAIL top.toml [disk_op=2]\n  :3 expect end = { queue = 1 }\n  </failure>]]> \xff\n", {"html"}, {}}}));
  ScenarioOutcome invalid;
  invalid.path = "scenarios/wrong.toml";
  invalid.problems.push_back(Problem{"scenarios/wrong.toml", {}, "unknown key"});
  report.add(invalid);
  report.add(outcome("not-asked-for.toml", "", {}));
  return report;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("JUnit: a case for each run") {
  CHECK(sample().junit() ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"postproof\" tests=\"4\" failures=\"1\" errors=\"1\" time=\"1.000\">\n"
        "<testsuite name=\"postproof\" tests=\"4\" failures=\"1\" errors=\"1\" time=\"1.000\" skipped=\"0\">\n"
        "<testcase classname=\"scenarios.retry\" name=\"greylist\" file=\"scenarios/retry/greylist.toml\" time=\"0.500\"/>\n"
        "<testcase classname=\"scenarios\" name=\"top [disk_op=1]\" file=\"top.toml\" time=\"0.250\"/>\n"
        "<testcase classname=\"scenarios\" name=\"top [disk_op=2]\" file=\"top.toml\" time=\"0.250\">\n"
        "<failure type=\"failed\" message=\":3 expect end = { queue = 1 }\">FAIL top.toml [disk_op=2]\n"
        "  :3 expect end = { queue = 1 }\n"
        "  &lt;/failure&gt;]]&gt; \\xff\n"
        "</failure>\n"
        "</testcase>\n"
        "<testcase classname=\"scenarios\" name=\"wrong\" file=\"scenarios/wrong.toml\" time=\"0.000\">\n"
        "<error type=\"invalid\" message=\"scenarios/wrong.toml: unknown key\">scenarios/wrong.toml: unknown key\n"
        "</error>\n"
        "</testcase>\n"
        "</testsuite>\n"
        "</testsuites>\n");
}

TEST_CASE("the summary tells the counts and what failed") {
  CHECK(sample().summary() ==
        "**1 passed, 1 failed, 1 invalid** – 3 runs, 15m3s of virtual time\n"
        "\n### failed `top.toml [disk_op=2]`\n\n"
        "    FAIL top.toml [disk_op=2]\n"
        "      :3 expect end = { queue = 1 }\n"
        "      </failure>]]> \\xff\n"
        "\n### invalid `scenarios/wrong.toml`\n\n"
        "    scenarios/wrong.toml: unknown key\n");
}

TEST_CASE("the index has every run and its files, and no real time") {
  const std::string page = sample().index_page();
  CHECK(holds(page, R"~({"path":"scenarios/retry/greylist.toml","variant":"","title":"greylisted","result":"passed",)~"
                    R"~("base":"scenarios/retry/greylist","files":["html","txt"],"virtual":900000000000,"failure":""})~"));
  CHECK(holds(page, R"~("title":"\u003cb>\\x01 & \"q\"")~"));
  CHECK_FALSE(holds(page, "0.5"));
}

}  // namespace
}  // namespace postproof::sim
