#include "sim/serve/serve.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "mta/base/check.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "sim/dns/dns_server.h"
#include "sim/dns/scenario_zones.h"
#include "sim/judge/owed.h"
#include "sim/peer/client.h"
#include "sim/peer/decorator.h"
#include "sim/peer/peer_program.h"
#include "sim/recording/served.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/reach.h"
#include "sim/serve/recorded_network.h"
#include "sim/serve/recorded_tls.h"
#include "sim/serve/wire_log.h"

namespace postproof::sim {

namespace {

constexpr Duration kLook = std::chrono::milliseconds{50};     // how often it looks whether it is over
constexpr Duration kKnock = std::chrono::milliseconds{100};   // how often an MTA is asked whether it is up

// So long the last octets of TLS connections may take that nobody waits for any more: close_notify has a second.
constexpr Duration kGoodbyes = std::chrono::seconds{2};

// A host of the scenario: an Env whose network and TLS record in its name.
struct ServedHost {
  ServedHost(Env& env, WireLog& log, std::string own)
      : name(std::move(own)),
        network(env, log, name),
        tls(env.tls, log, name),
        here{env.executor, env.clock, network, env.disk, env.entropy, env.events, tls, env.work} {}
  ServedHost(const ServedHost&) = delete;

  std::string name;
  RecordedNetwork network;
  RecordedTls tls;
  Env here;
};

struct ServedPeer : ServedHost {
  ServedPeer(Env& env, WireLog& log, const PeerPart& of, Authority& authority, std::shared_ptr<Behaviour> standing,
             Recorder& recorder)
      : ServedHost(env, log, of.name),
        part(of),
        behaviour(std::make_shared<DecoratedBehaviour>(std::move(standing))),
        terms(authority, of.tls, of.names, of.addresses),
        program(here, of, terms, behaviour, recorder) {}

  const PeerPart& part;
  std::shared_ptr<DecoratedBehaviour> behaviour;  // the faults of an [[at]] around what it shares with others
  PeerTls terms;
  PeerProgram program;
};

struct ClientHost : ServedHost {
  ClientHost(Env& env, WireLog& log, std::string own, std::string says, std::vector<IpAddress> where)
      : ServedHost(env, log, std::move(own)), helo(std::move(says)), addresses(std::move(where)) {}

  std::string helo;
  std::vector<IpAddress> addresses;
  std::size_t running = 0;  // submissions and dialogues under way
};

struct Planned {
  Duration at{};
  std::function<void()> action;
  bool ends_fault = false;  // nobody waits for that
};

Recording empty_recording(const Scenario& scenario, WallTime start) {
  Recording recording;
  recording.scenario = scenario.file;
  recording.title = scenario.title;
  recording.variant = kServedVariant;
  recording.seed = scenario.seed;
  recording.start = start;
  recording.source = scenario.source;
  return recording;
}

}  // namespace

struct Serve::Impl {
  Impl(Env& e, const PlacedScenario& p, ServeOptions o, Announce a, std::function<void(std::string_view)> t)
      : env(e),
        placed(p),
        scenario(p.scenario),
        options(o),
        announce(std::move(a)),
        tell(std::move(t)),
        recorder(recording, [this] { return now(); }),
        log(placed, recorder),
        tasks(env.executor) {}

  // Before time 0 it is 0.
  Duration now() const { return begun ? env.clock.mono() - *begun : Duration{0}; }

  Task<Result<RunResult>> run() {
    recording = empty_recording(scenario, env.clock.now());
    if (auto stands = check_endpoints(); !stands) co_return std::unexpected(std::move(stands.error()));
    plan();
    start_resolver();
    if (auto announced = announce(mint_certificates()); !announced) {
      co_await stop();
      co_return std::unexpected(std::move(announced.error()));
    }
    const bool up = co_await wait_for_mtas();
    begun = env.clock.mono();
    recording.start = env.clock.now();
    if (up) {
      start_peers();
      tell("all MTAs are up: the scenario begins");
      co_await play();
    }
    record::End end = how_it_ended();
    co_await stop();
    const Duration ended = now();
    recorder.add(std::move(end));
    RunResult result;
    result.virtual_time = ended;
    result.judgement = judge(scenario, recording, Sight::wire);
    result.recording = std::move(recording);
    record_judgement(result.judgement, ended, result.recording);
    co_return result;
  }

  // -- The servers ------------------------------------------------------------------------------------

  // Whether everything can stand where it is to, before anybody is told to rely on it.
  Result<void> check_endpoints() {
    std::vector<Endpoint> wanted = {placed.resolver};
    for (const PeerPart& part : scenario.peers) {
      for (const IpAddress& address : part.addresses) wanted.emplace_back(address, part.port);
    }
    for (const Endpoint& endpoint : wanted) {
      if (const auto listener = env.network.listen(endpoint); !listener) return std::unexpected(listener.error());
    }
    if (const auto socket = env.network.open_datagram(placed.resolver); !socket) return std::unexpected(socket.error());
    return {};
  }

  void start_resolver() {
    resolver_host.emplace(env, log, std::string(kResolverHost));
    DnsServer::NodeOf node_of = [this](const IpAddress& asker) { return log.node_at(asker); };
    resolver.emplace(resolver_host->here, zones(), scenario.dns.secure, recorder, resolver_host->name,
                     std::move(node_of));
    for (DnsFault& fault : standing_dns_faults(scenario.dns)) resolver->add_fault(std::move(fault));
    tasks.spawn(run_resolver());
  }
  ZoneData zones() {
    ZoneData zones;
    if (const auto added = add_scenario(scenario, zones); !added) {
      trouble(kResolverHost, scenario.dns.zone_line, added.error().what);
    }
    for (const ZoneChange* change : zone_changes) {
      if (const auto changed = zones.change(change->zone, change->remove); !changed) {
        trouble(kResolverHost, change->line, changed.error().what);
      }
    }
    return zones;
  }
  Task<void> run_resolver() {
    const Result<void> ended = co_await resolver->run(placed.resolver);
    if (!ended) trouble(kResolverHost, scenario.dns.zone_line, ended.error().what);
  }

  // Before anybody connects, so that who connects first does not matter to what is drawn for whom. Returns the
  // authority's.
  std::string mint_certificates() {
    std::string root = authority.root(env);
    for (const PeerPart& part : scenario.peers) {
      if (may_speak_tls(part)) authority.identity(env, part.tls.cert, part.names, part.addresses);
    }
    return root;
  }

  void start_peers() {
    for (const PeerPart& part : scenario.peers) {
      ServedPeer& peer = peers.emplace_back(env, log, part, authority, behaviours.of(part, *begun), recorder);
      tasks.spawn(run_peer(peer));
    }
    const std::vector<IpAddress>& submit_hosts = placed.submit_hosts;
    clients.emplace_back(env, log, std::string(kSubmitHost), submit_hosts.front().to_literal(), submit_hosts);
    for (const ClientPart& part : scenario.clients) {
      clients.emplace_back(env, log, part.name, part.names.front(), part.addresses);
    }
  }
  Task<void> run_peer(ServedPeer& peer) {
    const Result<void> ended = co_await peer.program.run();
    if (!ended) trouble(peer.name, peer.part.line, ended.error().what);
  }

  Task<void> stop() {
    for (ServedPeer& peer : peers) peer.program.stop();
    resolver->stop();
    for (ClientHost& client : clients) client.network.close_opened();
    co_await tasks.join();
    const Deadline until = env.clock.mono() + kGoodbyes;
    while (log.ends() > 0 && env.clock.mono() < until) {
      const Woken woken = co_await sleep_until(env, env.clock.mono() + kLook);
      if (woken == Woken::closed) co_return;
    }
  }

  void trouble(std::string_view node, std::uint32_t line, std::string what) {
    recorder.add(record::Fault{std::string(kTrouble), std::string(node), line, std::move(what)});
  }

  // -- The MTAs ---------------------------------------------------------------------------------------

  // False: interrupted, or one has not come up, which is told.
  Task<bool> wait_for_mtas() {
    const Deadline until = env.clock.mono() + options.mta_wait;
    for (const MtaPart& part : scenario.mtas) {
      const Endpoint at = part.config.listen.front();
      tell(fmt::format("waiting for {} at {}", part.name, at.to_string()));
      for (;;) {
        auto stream = co_await env.network.connect(at, std::nullopt, env.clock.mono() + kKnock * 10);
        if (stream) break;
        if (interrupted) co_return false;
        if (env.clock.mono() >= until) {
          trouble(part.name, part.line, fmt::format("nobody takes connections at {} within {}", at.to_string(),
                                                    format_duration(options.mta_wait)));
          co_return false;
        }
        const Woken woken = co_await sleep_until(env, env.clock.mono() + kKnock);
        if (woken == Woken::closed) co_return false;
      }
    }
    co_return true;
  }

  // -- What happens when ------------------------------------------------------------------------------

  void plan() {
    for (const At& at : scenario.at) {
      if (const auto* message = std::get_if<Submit>(&at.what)) {
        planned.push_back(Planned{at.t, [this, message] { submit_now(*message); }});
      } else if (const auto* fault = std::get_if<Fault>(&at.what)) {
        planned.push_back(Planned{at.t, [this, fault, line = at.line] { begin_fault(*fault, line); }});
      } else {
        const ZoneChange& change = std::get<ZoneChange>(at.what);
        planned.push_back(Planned{at.t, [this, &change] { change_zones(change); }});
      }
    }
    for (const ClientPart& part : scenario.clients) {
      if (!part.script.empty()) planned.push_back(Planned{part.start, [this, &part] { follow_script(part); }});
    }
    sort_plan();
  }
  void sort_plan() { std::ranges::stable_sort(planned, {}, &Planned::at); }

  ClientHost& client_host(std::string_view name) {
    const auto at = std::ranges::find(clients, name.empty() ? kSubmitHost : name, &ClientHost::name);
    return at == clients.end() ? clients.front() : *at;  // the loader knows that there is one
  }

  void submit_now(const Submit& message) {
    ClientHost& from = client_host(message.from_host);
    const auto mta = std::ranges::find(scenario.mtas, message.to, &MtaPart::name);
    const auto server = reach(scenario, from.addresses, message.to, submission_port(mta->config));
    if (!server) return trouble(from.name, 0, fmt::format("no address of {} is in reach", message.to));
    for (std::uint64_t i = 0; i < message.count; ++i) {
      ClientSettings settings{from.name, from.helo, *server, message.to, source_address(from.addresses, *server)};
      ++from.running;
      tasks.spawn(count_down(from, submit(from.here, std::move(settings), message, recorder)));
    }
  }

  void follow_script(const ClientPart& part) {
    ClientHost& from = client_host(part.name);
    const auto server = reach(scenario, from.addresses, part.to, part.port);
    if (!server) return trouble(from.name, part.line, fmt::format("no address of {} is in reach", part.to));
    const auto is_host = [&](const HostPart& host) { return host.name == part.to; };
    const bool named = std::ranges::any_of(scenario.mtas, is_host) || std::ranges::any_of(scenario.peers, is_host);
    ClientSettings settings{from.name, from.helo, *server, named ? part.to : log.node_at(server->address()),
                            source_address(from.addresses, *server)};
    ++from.running;
    tasks.spawn(count_down(
        from, run_client_script(from.here, std::move(settings), part.script, part.script_line, recorder)));
  }

  Task<void> count_down(ClientHost& host, Task<void> task) {
    co_await std::move(task);
    --host.running;
  }

  void begin_fault(const Fault& fault, std::uint32_t line) {
    const auto told = [this, &fault, line](std::string detail) {
      recorder.add(record::Fault{fault.kind, place_of(fault), line, std::move(detail)});
    };
    told("begins");
    std::function<void()> undo = strike(fault, line);
    if (!fault.lasts) return;
    planned.push_back(Planned{now() + *fault.lasts, [undo = std::move(undo), told] {
                                undo();
                                told("ends");
                              },
                              true});
    sort_plan();
  }

  // Returns what undoes it. place() has let no others through.
  std::function<void()> strike(const Fault& fault, std::uint32_t line) {
    if (auto dns_fault = dns_fault_of(fault, line)) {
      const std::uint64_t id = resolver->add_fault(std::move(*dns_fault));
      return [this, id] { resolver->remove_fault(id); };
    }
    const auto at = std::ranges::find(peers, fault.host, &ServedPeer::name);
    PP_CHECK(at != peers.end(), "a fault of no peer");
    ServedPeer& peer = *at;
    const std::uint64_t id = next_fault++;
    if (fault.kind == "tcp.refuse") {
      if (fault.port.value_or(peer.part.port) != peer.part.port) return [] {};
      peer.network.begin_refusing();
      return [&peer] { peer.network.end_refusing(); };
    }
    if (fault.peer) {
      peer.behaviour->add(id, decorator_of(*fault.peer, *begun));
      return [&peer, id] { peer.behaviour->remove(id); };
    }
    peer.terms.add_fault(id, fault, line);
    return [&peer, id] { peer.terms.remove_fault(id); };
  }

  void change_zones(const ZoneChange& change) {
    zone_changes.push_back(&change);
    resolver->set_zones(zones());
    recorder.add(record::Fault{"dns.zone", std::string(kResolverHost), change.line, describe(change)});
  }

  Task<void> play() {
    for (;;) {
      while (!planned.empty() && planned.front().at <= now()) {
        const Planned due = std::move(planned.front());
        planned.pop_front();
        due.action();
      }
      if (interrupted || now() >= options.limit || finished()) co_return;
      const Duration next = planned.empty() ? now() + kLook : std::min(planned.front().at, now() + kLook);
      const Woken woken = co_await sleep_until(env, *begun + next);
      if (woken == Woken::closed) interrupted = true;
    }
  }

  // -- The end ----------------------------------------------------------------------------------------

  bool finished() {
    if (options.stay || ahead() > 0 || log.open() > 0 || clients_running() > 0) return false;
    const Duration last = recording.records.empty() ? Duration{0} : recording.records.back().at;
    if (now() - last < options.settle) return false;
    // What is owed changes only with what has been recorded.
    if (recording.records.size() != looked_at) {
      looked_at = recording.records.size();
      owed = owed_messages(scenario, recording);
    }
    return owed.empty();
  }

  std::size_t ahead() const {
    return static_cast<std::size_t>(std::ranges::count(planned, false, &Planned::ends_fault));
  }

  std::size_t clients_running() const {
    std::size_t all = 0;
    for (const ClientHost& client : clients) all += client.running;
    return all;
  }

  record::End how_it_ended() {
    record::End end;
    for (const std::string& line : owed_messages(scenario, recording)) end.pending += line + "\n";
    for (const ClientHost& client : clients) {
      if (client.running > 0) end.pending += fmt::format("client {}: {} under way\n", client.name, client.running);
    }
    if (ahead() > 0) end.pending += fmt::format("{} [[at]] or dialogues ahead\n", ahead());
    if (log.open() > 0) end.pending += fmt::format("{} connections open\n", log.open());
    while (end.pending.ends_with('\n')) end.pending.pop_back();
    // Whoever ends a run in which nothing is left to do has seen all of it.
    end.reason = end.pending.empty() ? "done" : interrupted ? "interrupted" : now() >= options.limit ? "limit" : "done";
    return end;
  }

  Env& env;
  const PlacedScenario& placed;
  const Scenario& scenario;
  const ServeOptions options;
  const Announce announce;
  const std::function<void(std::string_view)> tell;

  Recording recording;
  Recorder recorder;
  WireLog log;
  std::optional<MonoTime> begun;
  bool interrupted = false;

  StandingBehaviours behaviours;
  Authority authority;
  std::optional<ServedHost> resolver_host;
  std::optional<DnsServer> resolver;
  // Deques: programs hold references.
  std::deque<ServedPeer> peers;
  std::deque<ClientHost> clients;
  std::uint64_t next_fault = 1;  // decorators that stand all the time are 0
  std::deque<Planned> planned;  // by time
  std::vector<const ZoneChange*> zone_changes;  // so far
  std::size_t looked_at = 0;
  std::vector<std::string> owed;
  TaskGroup tasks;
};

Serve::Serve(Env& env, const PlacedScenario& placed, ServeOptions options, Announce announce,
             std::function<void(std::string_view)> tell)
    : impl_(std::make_unique<Impl>(env, placed, options, std::move(announce), std::move(tell))) {}
Serve::~Serve() = default;

Task<Result<RunResult>> Serve::run() { return impl_->run(); }
void Serve::interrupt() { impl_->interrupted = true; }

}  // namespace postproof::sim
