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
  std::uint64_t ran = 0;
};

Told explore_all(const ExploreOptions& options) {
  Told told;
  ExploreListener listener;
  listener.found = [&](const Found& found) { told.found.push_back(found); };
  listener.ran = [&](const Exploration& so_far) { CHECK(so_far.seeds == ++told.ran); };
  listener.goes_on = [](const Exploration&) { return true; };
  const auto exploration = explore(options, listener);
  REQUIRE(exploration.has_value());
  CHECK(told.ran == exploration->seeds);
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

TEST_CASE("the scenario of a seed can be had, and is the one that is run") {
  ExploreOptions options;
  options.from = 7;
  const auto text = explored_text(options);
  REQUIRE(text.has_value());
  CHECK(text->starts_with("title = \"drawn mail\"\nseed  = 7\n"));
  CHECK(try_text("seed 7", *text)->judgement.ok());
}

TEST_CASE("a configuration that a scenario names is read from wherever the scenario is written to") {
  const TemporaryFolder folder;
  REQUIRE(make_folder(folder.path + "/etc").has_value());
  REQUIRE(write_text_file(folder.path + "/etc/relay.toml", "hostname = \"relay.example\"\nspool.directory = \"/spool\"\nretry.lifetime = \"40d\"\n").has_value());
  const std::string path = folder.path + "/configured.toml";
  std::string scenario(kNeverUp);
  scenario.insert(scenario.find("listen = "), "config = \"etc/relay.toml\"\n");
  REQUIRE(write_text_file(path, scenario).has_value());
  ExploreOptions options;
  options.paths = {path};
  options.traffic = false;
  options.seeds = 1;
  options.directory = folder.path + "/found/deep";
  REQUIRE(make_folder(folder.path + "/found").has_value());
  REQUIRE(explored_text(options).has_value());
  CHECK(explored_text(options)->find("\nlimit = \"61d\"\n") != std::string::npos);
  const Told told = explore_all(options);
  REQUIRE(told.found.size() == 1);
  CHECK(read_scenario(told.found.front().file).has_value());
}

TEST_CASE("scenarios that cannot be read are told, and nothing is run") {
  ExploreOptions options;
  options.paths = {"/nowhere/a.toml"};
  const auto exploration = explore(options, ExploreListener{});
  REQUIRE(!exploration.has_value());
  CHECK(exploration.error().size() == 1);
}

}  // namespace postproof::sim
