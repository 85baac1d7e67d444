// Which files a suite is made of, and that its results do not depend on the number of threads.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sim/run/report.h"
#include "sim/run/suite.h"

namespace postproof::sim {

namespace fs = std::filesystem;

namespace {

// A folder of its own, gone afterwards.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "postproof-suite-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string put(const std::string& name, std::string_view text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  std::string at(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

std::vector<std::string> names(const Folder& folder, const std::vector<std::string>& paths) {
  std::vector<std::string> list;
  for (const std::string& path : paths) list.push_back(path.substr(folder.path().size() + 1));
  return list;
}

}  // namespace

TEST_CASE("a folder stands for its scenarios and those below it, sorted") {
  const Folder folder;
  folder.put("b/two.toml", "");
  folder.put("a/one.toml", "");
  folder.put("a/deep/three.toml", "");
  folder.put("zero.toml", "");
  folder.put("a/notes.txt", "");
  folder.put("catalogue.toml", "");
  const auto found = find_scenarios({folder.path()}, std::nullopt);
  REQUIRE(found);
  CHECK(names(folder, *found) == std::vector<std::string>{"a/deep/three.toml", "a/one.toml", "b/two.toml", "zero.toml"});
}

TEST_CASE("files stand as they are given, none twice") {
  const Folder folder;
  const std::string one = folder.put("a/one.toml", "");
  const std::string two = folder.put("a/two.toml", "");
  const auto found = find_scenarios({two, folder.path(), folder.path() + "/a/../a/one.toml"}, std::nullopt);
  REQUIRE(found);
  CHECK(*found == std::vector<std::string>{two, one});
}

TEST_CASE("a filter is for the whole path") {
  const Folder folder;
  folder.put("retry/greylisting.toml", "");
  folder.put("mx/failover.toml", "");
  const auto found = find_scenarios({folder.path()}, "*/retry/*");
  REQUIRE(found);
  CHECK(names(folder, *found) == std::vector<std::string>{"retry/greylisting.toml"});
  CHECK_FALSE(find_scenarios({folder.path()}, "greylisting"));
}

TEST_CASE("the catalogue of a scenario is the nearest above it") {
  const Folder folder;
  const std::string deep = folder.put("suite/inner/deep/x.toml", "");
  CHECK_FALSE(find_catalogue(deep));
  const std::string outer = folder.put("suite/catalogue.toml", "");
  CHECK(find_catalogue(deep) == outer);
  const std::string inner = folder.put("suite/inner/catalogue.toml", "");
  CHECK(find_catalogue(deep) == inner);
  CHECK(find_catalogue(folder.at("suite/other/y.toml")) == outer);
}

TEST_CASE("nothing found is told") {
  const Folder folder;
  CHECK(find_scenarios({folder.at("nowhere")}, std::nullopt).error().find("no such file or folder") != std::string::npos);
  CHECK(find_scenarios({folder.path()}, std::nullopt).error().find("no scenarios") != std::string::npos);
}

TEST_CASE("names of reports stay below their folder") {
  CHECK(report_name("scenarios/mx/failover.toml", "") == "scenarios/mx/failover");
  CHECK(report_name("./scenarios//mx/failover.toml", "disk_op=3") == "scenarios/mx/failover.disk_op=3");
  CHECK(report_name("/tmp/a.toml", "") == "tmp/a");
  CHECK(report_name("../a.toml", "") == "__/a");
  CHECK(report_name("a", "../b c") == "a...%2Fb%20c");
}

TEST_CASE("a report that passes takes away what an earlier failure has left") {
  const Folder folder;
  Recording recording;
  recording.scenario = "mx/failover.toml";
  recording.records = {Record{1s, record::TlsKey{1, "CLIENT_RANDOM 00 11"}}, Record{1s, record::Failure{0, "all is well", "", "", {}}},
                       Record{1s, record::Verdict{"failed", 0, 1}}};
  const auto endings = write_report(folder.path(), recording);
  REQUIRE(endings);
  CHECK(*endings == std::vector<std::string>{"html", "txt", "jsonl", "pcap", "keys", "failed.txt"});
  for (const std::string& ending : *endings) CHECK(fs::exists(folder.at("mx/failover." + ending)));
  CHECK(read_text_file(folder.at("mx/failover.failed.txt"))->starts_with("FAIL mx/failover.toml"));
  CHECK(read_text_file(folder.at("mx/failover.keys")) == "CLIENT_RANDOM 00 11\n");
  recording.records = {Record{1s, record::Verdict{"passed", 1, 0}}};
  CHECK(write_report(folder.path(), recording) == std::vector<std::string>{"html", "txt", "jsonl", "pcap"});
  CHECK_FALSE(fs::exists(folder.at("mx/failover.failed.txt")));
  CHECK_FALSE(fs::exists(folder.at("mx/failover.keys")));
}

TEST_CASE("a file that cannot be read is a problem of that file") {
  const Folder folder;
  const auto scenario = read_scenario(folder.path());
  REQUIRE_FALSE(scenario);
  CHECK(scenario.error().at(0).to_string() == folder.path() + ": a folder, not a file");
}

TEST_CASE("a configuration is looked for from the scenario's folder") {
  const Folder folder;
  folder.put("etc/relay.toml", "hostname = 'relay.example'\nspool.directory = '/var/spool/postproof'\n");
  const std::string path = folder.put("scenarios/s.toml", "title = 'x'\n[mta.sut]\nconfig = '../etc/relay.toml'\n");
  const auto variants = read_variants(path);
  REQUIRE(variants);
  CHECK(variants->front().mtas[0].config.hostname == "relay.example");
  folder.put("etc/relay.toml", "hostnam = 'relay.example'\n");
  const auto wrong = read_variants(path);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error()[0].to_string().find("/scenarios/../etc/relay.toml:1:1: unknown key \"hostnam\"") != std::string::npos);
}

TEST_CASE("variants that are skipped are told apart from those that passed") {
  const Folder folder;
  const std::vector<std::string> paths = {folder.put("a.toml", "title = 'x'\nneeds = 'binarymime'\n[mta.sut]\n"),
                                          folder.put("b.toml", "title = 'x'\nmatrix = { n = [1, 2] }\n[mta.sut]\n")};
  std::vector<ScenarioOutcome> outcomes;
  run_suite(paths, SuiteOptions{}, [&](const ScenarioOutcome& outcome) { outcomes.push_back(outcome); });
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].skipped());
  CHECK_FALSE(outcomes[0].passed());
  CHECK(outcomes[0].variants[0].skipped == "sut lacks binarymime");
  CHECK(outcomes[1].passed());
  REQUIRE(outcomes[1].variants.size() == 2);
  CHECK(outcomes[1].variants[1].variant == "n=2");
}

TEST_CASE("results come in the order of the files, whatever the number of threads") {
  const Folder folder;
  std::vector<std::string> paths;
  for (int i = 0; i < 20; ++i) {
    // Every third is invalid, and every fifth expects what does not come.
    std::string text = i % 3 == 0 ? "title = 1\n" : "title = 'an empty world'\n[[expect]]\nend = { queue = 0 }\n";
    if (i % 5 == 0) text += "[[expect]]\nend = { queue = 1 }\n";
    // The first takes longer to read than all the others: threads that run them are done before.
    if (i == 0) text += std::string(3 * 1024 * 1024, '\n');
    paths.push_back(folder.put("s" + std::to_string(10 + i) + ".toml", text));
  }
  const auto run = [&](std::size_t jobs) {
    std::vector<std::string> told;
    SuiteOptions options;
    options.jobs = jobs;
    run_suite(paths, options, [&](const ScenarioOutcome& outcome) {
      std::string line = outcome.path + (outcome.passed() ? " passed" : " not");
      for (const Problem& problem : outcome.problems) line += " " + problem.to_string();
      for (const VariantOutcome& variant : outcome.variants) line += " " + variant.failure;
      told.push_back(line);
    });
    return told;
  };
  const std::vector<std::string> alone = run(1);
  REQUIRE(alone.size() == 20);
  CHECK(alone[0].find("expected a string") != std::string::npos);
  CHECK(alone[1].find(" passed") != std::string::npos);
  CHECK(alone[5].find(" not") != std::string::npos);
  CHECK(run(4) == alone);
}

}  // namespace postproof::sim
