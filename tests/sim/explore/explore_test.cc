// A whole exploration: what it finds it writes, what it writes fails in the same way, and none of it depends on the number
// of threads.
#include "sim/explore/explore.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "sim/explore/trial.h"
#include "sim/run/report.h"

namespace postproof::sim {

namespace {

struct TemporaryFolder {
  TemporaryFolder() {
    char name[] = "/tmp/postproof-explore-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string path;
};

struct Told {
  std::string json;
  std::vector<Found> found;
};

Told explore_all(const ExploreOptions& options) {
  Told told;
  const auto exploration = explore(
      options, [&](const Found& found) { told.found.push_back(found); }, [](const Exploration&) { return true; });
  REQUIRE(exploration.has_value());
  told.json = exploration_json(*exploration, told.found);
  return told;
}

// Whatever else happens, its MTA never comes up: an invariant is broken in every run.
constexpr std::string_view kNeverUp = R"(title = "listens at an address that is not its own"

[mta.sut]
listen = ["192.0.2.77:25"]

[peer.mx]
names = ["dest.example"]

[[at]]
t = "1s"
submit = { to = "sut", from = "", rcpt = ["a@dest.example", "b@dest.example"] }

[[expect]]
delivered = { rcpt = "a@dest.example" }
)";

}  // namespace

TEST_CASE("drawn traffic breaks nothing, whatever the number of threads") {
  ExploreOptions options;
  options.seeds = 24;
  const Told one = explore_all(options);
  options.jobs = 3;
  const Told many = explore_all(options);
  CHECK(one.found.empty());
  CHECK(one.json == many.json);
  CHECK(one.json.find("\"seeds\":24,\"failed\":0") != std::string::npos);
}

TEST_CASE("what is found is shrunk, written, and fails in the same way when it is run") {
  const TemporaryFolder folder;
  const std::string path = folder.path + "/never.toml";
  REQUIRE(write_text_file(path, kNeverUp).has_value());
  ExploreOptions options;
  options.paths = {path};
  options.traffic = false;
  options.seeds = 4;
  options.directory = folder.path + "/found";
  options.command = "postproof explore " + path;
  const Told told = explore_all(options);
  REQUIRE(told.found.size() == 1);
  const Found& found = told.found.front();
  CHECK(found.seed == 1);
  CHECK(found.invariant == "every part of the world comes up");
  CHECK(found.lines <= 5);
  CHECK(told.json.find("\"failed\":4") != std::string::npos);

  const auto text = read_text_file(found.file);
  REQUIRE(text.has_value());
  CAPTURE(*text);
  CHECK(text->find("# Found under random faults in " + path + " by: " + options.command + " --from 1 --seeds 1\n") !=
        std::string::npos);
  CHECK(text->find("[[at]]") == std::string::npos);  // neither faults nor mail have to do with it
  const auto scenario = read_scenario(found.file);
  REQUIRE(scenario.has_value());
  const RunResult again = run_once(*scenario, RunOptions{});
  CHECK(broken_invariants(again.judgement) == std::vector<std::string>{found.invariant});
}

TEST_CASE("scenarios that cannot be read are told, and nothing is run") {
  ExploreOptions options;
  options.paths = {"/nowhere/a.toml"};
  const auto exploration = explore(options, [](const Found&) {}, [](const Exploration&) { return true; });
  REQUIRE(!exploration.has_value());
  CHECK(exploration.error().size() == 1);
}

}  // namespace postproof::sim
