#include "tests/sim/peer/lab.h"

#include <fmt/format.h>

#include "mta/env/wakeup.h"

namespace postproof::sim {
namespace {

template <class Server>
Task<void> serve_with(Server& peer, Server*& live, Lab& lab) {
  live = &peer;
  const Result<void> ran = co_await peer.run();
  if (!ran) lab.serve_error = ran.error().what;
  live = nullptr;
  lab.served = true;
}

Task<void> run_peer(Env& env, std::vector<Rule> rules, Lab& lab) {
  Peer peer(env, lab.settings, rules.empty() ? nullptr : rule_behaviour(std::move(rules), env.clock.mono()),
            lab.world.recorder());
  co_await serve_with(peer, lab.peer, lab);
}

Task<void> run_script_peer(Env& env, std::string script, Lab& lab) {
  ScriptPeer peer(env, lab.settings, std::move(script), 1, lab.world.recorder());
  co_await serve_with(peer, lab.script_peer, lab);
}

ClientSettings client_settings(const Lab& lab) {
  ClientSettings settings;
  settings.node = "client";
  settings.helo = "client.example";
  settings.server = lab.server;
  settings.server_node = "mx1";
  settings.from = *IpAddress::parse("192.0.2.1");
  return settings;
}

Task<void> run_submissions(Env& env, std::vector<std::pair<Duration, Submit>> messages, Lab& lab) {
  const MonoTime start = env.clock.mono();
  for (const auto& [at, one] : messages) {
    const Woken woken = co_await sleep_until(env, start + at);
    if (woken == Woken::closed) co_return;
    ClientSettings settings = client_settings(lab);
    co_await submit(env, std::move(settings), one, lab.world.recorder());
  }
}

}  // namespace

Lab::Lab()
    : world(WorldSettings{}, recording),
      mx1(world.add_node("mx1", {*IpAddress::parse("192.0.2.2")})),
      client(world.add_node("client", {*IpAddress::parse("192.0.2.1")})) {
  settings.node = "mx1";
  settings.hostname = "mx1.dest.example";
  settings.listen = {server};
  settings.keywords = {"PIPELINING", "SIZE 52428800", "8BITMIME", "ENHANCEDSTATUSCODES"};
}

void Lab::serve(std::vector<Rule> rules) {
  mx1.start([this, rules](Env& env) { return run_peer(env, rules, *this); });
}

void Lab::serve_script(std::string script) {
  mx1.start([this, script](Env& env) { return run_script_peer(env, script, *this); });
}

void Lab::submit(std::vector<std::pair<Duration, Submit>> messages) {
  client.start([this, messages](Env& env) { return run_submissions(env, messages, *this); });
}

void Lab::talk(std::string script) {
  client.start(
      [this, script](Env& env) { return run_client_script(env, client_settings(*this), script, 1, world.recorder()); });
}

World::Stopped Lab::run() {
  return world.run(std::chrono::hours{240}, [] { return false; });
}

std::string Lab::sent(Side side) const {
  std::string all_octets;
  for (const record::Octets& octets : all<record::Octets>()) {
    if (octets.from == side) all_octets += octets.octets;
  }
  return all_octets;
}

std::string Lab::script_failures() const {
  std::string text;
  for (const record::ScriptFailure& failure : all<record::ScriptFailure>()) {
    text += fmt::format("{}:{}: wanted {}, got {}\n", failure.node, failure.line, failure.wanted, failure.got);
  }
  return text;
}

Rule rule(std::string on, std::string reply) {
  Rule made;
  made.on = std::move(on);
  if (!reply.empty()) made.reply = {std::move(reply)};
  made.line = 12;
  return made;
}

Submit message(std::vector<std::string> rcpt, std::string data) {
  Submit made;
  made.to = "mx1";
  made.from = "a@src.example";
  made.rcpt = std::move(rcpt);
  made.data = std::move(data);
  return made;
}

}  // namespace postproof::sim
