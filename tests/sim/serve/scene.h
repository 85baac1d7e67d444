// A served scenario, and the MTA that it is for, as two hosts of a world: what serve does on real sockets, in virtual time.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mta/mta.h"
#include "sim/scenario/load.h"
#include "sim/serve/serve.h"
#include "sim/world/node.h"
#include "sim/world/world.h"

namespace postproof::sim {

inline Scenario load(const std::string& text) {
  auto scenario = load_scenario("test.toml", text);
  if (!scenario) {
    for (const Problem& problem : scenario.error()) MESSAGE(problem.to_string());
  }
  REQUIRE(scenario);
  return std::move(*scenario);
}

class Scene {
 public:
  explicit Scene(const std::string& text, ServeOptions options = {}) : scenario_(load(text)), options_(options) {
    auto placed = place(scenario_, {});
    REQUIRE(placed);
    placed_ = std::move(*placed);
  }

  bool mta_runs = true;
  std::function<void(Config&)> configure;  // on top of what the scenario says
  std::optional<IpAddress> mta_asks_from;       // one more address of its host, in the resolver's family
  std::optional<Duration> interrupt_at;
  int announced = 0;
  std::string authority;  // as announced

  // The served side's own recording; that of the world, which has seen more, is thrown away.
  RunResult play() {
    Recording of_world;
    std::optional<Result<RunResult>> result;
    World world({}, of_world);
    Node& stage = world.add_node("stage", stage_addresses());
    std::vector<IpAddress> mta_addresses = placed_.scenario.mtas.front().addresses;
    if (mta_asks_from) mta_addresses.push_back(*mta_asks_from);
    Node& mta = world.add_node("mta", std::move(mta_addresses));
    stage.start([&](Env& env) { return serve(world, env, result); });
    if (mta_runs) mta.start([this](Env& env) { return run_mta(env); });
    world.run(std::chrono::hours{24}, [&] { return result.has_value(); });
    REQUIRE(result);
    REQUIRE(*result);
    return std::move(**result);
  }

 private:
  std::vector<IpAddress> stage_addresses() const {
    std::vector<IpAddress> all = placed_.submit_hosts;
    all.push_back(placed_.resolver.address());
    const auto add = [&](const HostPart& part) { all.insert(all.end(), part.addresses.begin(), part.addresses.end()); };
    for (const PeerPart& part : placed_.scenario.peers) add(part);
    for (const ClientPart& part : placed_.scenario.clients) add(part);
    return all;
  }

  Task<void> serve(World& world, Env& env, std::optional<Result<RunResult>>& result) {
    Serve serve(
        env, placed_, options_, [this](std::string_view ca) -> Result<void> {
          ++announced;
          authority = ca;
          return {};
        }, [](std::string_view) {});
    if (interrupt_at) world.at(*interrupt_at, [&serve] { serve.interrupt(); });
    Result<RunResult> came = co_await serve.run();
    result.emplace(std::move(came));
  }

  Task<void> run_mta(Env& env) {
    const MtaPart& part = placed_.scenario.mtas.front();
    Config config = part.config;
    set_hostname(config, "mta.example");
    config.intake.relay_clients = {*IpNetwork::parse("0.0.0.0/0"), *IpNetwork::parse("::/0")};
    config.resolver.servers = {placed_.resolver};
    config.spool.directory = "/spool";
    config.session_threads = 0;
    if (configure) configure(config);
    std::vector<Env*> sessions = {&env};
    Mta mta(std::move(config), env, std::move(sessions));
    const Result<void> ended = co_await mta.run();
    CHECK((ended || ended.error().code == Errc::closed));
  }

  Scenario scenario_;
  ServeOptions options_;
  PlacedScenario placed_;
};

}  // namespace postproof::sim
