#include "sim/run/assemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/crc32c.h"
#include "mta/base/text.h"
#include "sim/dns/scenario_zones.h"
#include "sim/judge/evidence.h"
#include "sim/judge/judge.h"
#include "sim/peer/client.h"
#include "sim/peer/peer_program.h"
#include "sim/scenario/reach.h"
#include "sim/world/sim_network.h"

namespace postproof::sim {

namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr MonoTime kRunStart{};  // nodes count their monotonic time from the run's beginning
constexpr std::string_view kSpoolDirectory = "/spool";

// Next to resolver_address(): the world's own hosts have an address of each family.
IpAddress resolver_address6() { return *IpAddress::parse("2001:db8::53"); }

bool is_given(const MtaPart& part, std::string_view key) {
  return std::ranges::find(part.given, key) != part.given.end();
}

bool any_of_family(const std::vector<IpAddress>& addresses, const IpAddress& like) {
  return std::ranges::any_of(addresses, [&](const IpAddress& address) { return address.is_v4() == like.is_v4(); });
}

// The host's addresses in place of "any address".
std::vector<Endpoint> own_endpoints(const std::vector<Endpoint>& wanted, const std::vector<IpAddress>& addresses) {
  std::vector<Endpoint> list;
  for (const Endpoint& endpoint : wanted) {
    if (endpoint.kind() != Endpoint::Kind::ip || !endpoint.address().is_unspecified()) {
      list.push_back(endpoint);
      continue;
    }
    for (const IpAddress& address : addresses) {
      if (address.is_v4() == endpoint.address().is_v4()) list.emplace_back(address, endpoint.port());
    }
  }
  return list;
}

// A production configuration listens on addresses of its own: the host's take their place, port by port.
std::vector<Endpoint> listen_on(const std::vector<Endpoint>& wanted, const std::vector<IpAddress>& addresses) {
  std::vector<Endpoint> list;
  const auto add = [&](Endpoint endpoint) {
    if (std::ranges::find(list, endpoint) == list.end()) list.push_back(std::move(endpoint));
  };
  for (const Endpoint& endpoint : wanted) {
    if (endpoint.kind() != Endpoint::Kind::ip) {
      add(endpoint);
      continue;
    }
    for (const IpAddress& address : addresses) {
      if (address.is_v4() == endpoint.address().is_v4()) add(Endpoint(address, endpoint.port()));
    }
  }
  return list;
}

constexpr std::string_view kTlsChain = "/tls/chain.pem";
constexpr std::string_view kTlsKey = "/tls/key.pem";
constexpr std::string_view kTlsRoots = "/tls/ca.pem";

// Whether any of its hosts may come to speak TLS.
bool speaks_tls(const Scenario& scenario) {
  const auto scripted = [](const std::string& script) { return ascii_upper(script).find("TLS") != std::string::npos; };
  const bool mta = std::ranges::any_of(scenario.mtas, [](const MtaPart& part) {
    return !part.cert.empty() || std::ranges::any_of(part.given, [](const std::string& key) { return key.starts_with("tls."); });
  });
  const bool peer = std::ranges::any_of(
      scenario.peers, [&](const PeerPart& part) { return part.tls.offered || scripted(part.script); });
  return mta || peer || std::ranges::any_of(scenario.at, [](const At& at) {
           const auto* submit = std::get_if<Submit>(&at.what);
           return submit != nullptr && submit->tls;
         });
}

// What a scenario's MTA has that its author need not write.
Config complete(const MtaPart& part) {
  Config config = part.config;
  set_hostname(config, hostname_of(part));
  const bool production = part.configuration.has_value();
  config.listen = production && !is_given(part, "listen") ? listen_on(config.listen, part.addresses)
                                                          : own_endpoints(config.listen, part.addresses);
  for (auto* listen : {&config.submission.listen, &config.submission.listen_tls}) {
    *listen = production ? listen_on(*listen, part.addresses) : own_endpoints(*listen, part.addresses);
  }
  config.session_threads = 0;
  if (!production && !is_given(part, "relay.clients") && !is_given(part, "relay.domains")) {
    config.intake.relay_clients = {*IpNetwork::parse("0.0.0.0/0"), *IpNetwork::parse("::/0")};
  }
  if (!part.resolver_given) {
    const bool v4 = any_of_family(part.addresses, resolver_address());
    config.resolver.servers = {Endpoint(v4 ? resolver_address() : resolver_address6(), kDnsPort)};
  }
  // RFC 5321 section 5.1: an MX list is cut at ourselves.
  config.router.addresses.insert(config.router.addresses.end(), part.addresses.begin(), part.addresses.end());
  if (config.spool.directory.empty()) config.spool.directory = kSpoolDirectory;
  return config;
}

}  // namespace

Cast::Cast(const Scenario& scenario) : scenario_(scenario), uses_tls_(speaks_tls(scenario)) {}

void Cast::enter(World& world) {
  world_ = &world;
  dns_node_ = &world.add_node(std::string(kResolverHost), {resolver_address(), resolver_address6()});
  for (const MtaPart& part : scenario_.mtas) enter_mta(part);
  for (const PeerPart& part : scenario_.peers) {
    PeerActor& actor = peers_.emplace_back();
    actor.part = &part;
    actor.behaviour = std::make_shared<DecoratedBehaviour>(behaviours_.of(part, kRunStart));
    actor.node = &world.add_node(part.name, part.addresses);
    actor.tls.emplace(authority_, part.tls, part.names, part.addresses);
  }
  for (const ClientPart& part : scenario_.clients) add_host(part.name, part.names.front(), part.addresses);
  add_host(std::string(kSubmitHost), submit_address().to_literal(), {submit_address(), submit_address6()});
  enter_links();
  std::uint64_t id = 0;  // below those of faults with a time
  for (DnsFault& fault : standing_dns_faults(scenario_.dns)) dns_faults_[id++] = StandingFault{std::move(fault), {}};
}

void Cast::enter_mta(const MtaPart& part) {
  MtaActor& actor = mtas_.emplace_back();
  actor.part = &part;
  actor.config = complete(part);
  actor.node = &world_->add_node(part.name, part.addresses);
  give_files(actor);
  enter_tls(actor);
  actor.node->on_event([this, &actor](const Event& event) {
    if (on_event) on_event(actor, event);
  });
}

// The recording says which files a run depended on: a disk operation of number 0 for each, before all others.
void Cast::give_files(MtaActor& actor) {
  const auto note = [&](const GivenFile& file) {
    world_->recorder().add(record::DiskOperation{actor.part->name, 0, "given", file.path, 0, file.content.size(),
                                                 fmt::format("crc32c {:08x}", crc32c(file.content))});
  };
  if (actor.part->configuration) {
    note(*actor.part->configuration);
    // In production somebody has made the folder that the spool is made in.
    const std::string& spool = actor.config.spool.directory;
    actor.node->disk().make_directories(spool.substr(0, spool.rfind('/')));
  }
  for (const GivenFile& file : actor.part->files) {
    actor.node->disk().make_directories(file.path.substr(0, file.path.rfind('/')));
    actor.node->disk().put(file.path, file.content);
    note(file);
  }
}

// It trusts the world's root, and has the certificate that the scenario wants; files of the scenario's own come first.
void Cast::enter_tls(MtaActor& actor) {
  Config& config = actor.config;
  if (!uses_tls_) {
    if (!is_given(*actor.part, "tls.client")) config.router.tls.level = tls::Level::none;
    return;
  }
  Env& env = actor.node->env();
  if (config.tls.trusted.empty()) {
    config.tls.trusted = kTlsRoots;
    actor.node->disk().put(kTlsRoots, authority_.root(env));
  }
  if (actor.part->cert.empty() || !config.tls.own.certificate.empty()) return;
  const tls::Identity& identity =
      authority_.identity(env, actor.part->cert, actor.part->names, actor.part->addresses);
  config.tls.own.certificate = kTlsChain;
  config.tls.own.key = kTlsKey;
  actor.node->disk().put(kTlsChain, identity.chain);
  actor.node->disk().put(kTlsKey, identity.key);
}

HostActor& Cast::add_host(std::string name, std::string helo, std::vector<IpAddress> addresses) {
  HostActor& actor = hosts_.emplace_back();
  actor.node = &world_->add_node(name, addresses);
  actor.name = std::move(name);
  actor.helo = std::move(helo);
  actor.addresses = std::move(addresses);
  return actor;
}

// [link.default] comes first, wherever it stands: the others are on top of it.
void Cast::enter_links() {
  SimNetwork& network = world_->network();
  const auto change_of = [](const LinkPart& link) {
    WayChange change;
    change.latency = link.latency;
    change.jitter = link.jitter;
    change.bandwidth = link.bandwidth;
    change.loss = link.loss;
    change.segment = link.segment;
    return change;
  };
  for (const LinkPart& link : scenario_.links) {
    if (!link.between.empty()) continue;
    Way way;
    change_of(link).apply(way);
    network.set_default_way(way);
  }
  for (const LinkPart& link : scenario_.links) {
    if (link.between.empty()) continue;
    for (const std::size_t from : {0, 1}) {
      WayChange change = change_of(link);
      change.from = link.between[from];
      change.to = link.between[1 - from];
      network.add_way(std::move(change));
    }
  }
}

void Cast::start() {
  dns_node_->start([this](Env& env) { return run_dns(env); });
  for (PeerActor& actor : peers_) actor.node->start([this, &actor](Env& env) { return run_peer(actor, env); });
  for (HostActor& actor : hosts_) actor.node->start([this, &actor](Env& env) { return run_host(actor, env); });
  for (MtaActor& actor : mtas_) actor.node->start([this, &actor](Env& env) { return run_mta(actor, env); });
}

MtaActor* Cast::mta(std::string_view name) {
  const auto at = std::ranges::find_if(mtas_, [&](const MtaActor& actor) { return actor.part->name == name; });
  return at == mtas_.end() ? nullptr : &*at;
}

MtaActor* Cast::mta_at(const IpAddress& address) {
  const auto has = [&](const MtaActor& actor) {
    return std::ranges::find(actor.part->addresses, address) != actor.part->addresses.end();
  };
  const auto at = std::ranges::find_if(mtas_, has);
  return at == mtas_.end() ? nullptr : &*at;
}

void Cast::settle(MtaActor& actor) {
  if (std::exchange(actor.settled, true)) return;
  world_->after_this_event([&actor] {
    for (auto& action : std::exchange(actor.waiting, {})) action();
  });
}

HostActor& Cast::host(std::string_view name) {
  const auto at = std::ranges::find(hosts_, name.empty() ? kSubmitHost : name, &HostActor::name);
  return at == hosts_.end() ? hosts_.back() : *at;  // the loader knows that there is one
}

// A name of the host for SNI; empty: it has none.
std::string Cast::name_of(std::string_view host) const {
  for (const MtaPart& part : scenario_.mtas) {
    if (part.name == host) return part.names.front();
  }
  for (const PeerPart& part : scenario_.peers) {
    if (part.name == host) return part.names.front();
  }
  return {};
}

void Cast::submit(const Submit& submit) {
  HostActor& from = host(submit.from_host);
  const auto server = reach(scenario_, from.addresses, submit.to, submission_port(mta(submit.to)->config));
  if (!server) return trouble(from.name, 0, fmt::format("no address of {} is in reach", submit.to));
  for (std::uint64_t i = 0; i < submit.count; ++i) submit_one(from, submit, *server);
}

void Cast::submit_one(HostActor& from, const Submit& submit, const Endpoint& server) {
  spawn(from, [this, &from, &submit, server](Env& env) {
    ClientSettings settings{from.name, from.helo, server, submit.to, source_address(from.addresses, server),
                            name_of(submit.to)};
    // The MTA went down while it was dialed: when it is up again the message is handed over.
    std::function<bool()> is_seen_to = [this, &from, &submit, server] {
      MtaActor& to = *mta(submit.to);
      if (to.settled) return false;
      to.waiting.emplace_back([this, &from, &submit, server] { submit_one(from, submit, server); });
      return true;
    };
    return sim::submit(env, std::move(settings), submit, world_->recorder(), std::move(is_seen_to));
  });
}

void Cast::follow_script(const ClientPart& client) {
  HostActor& from = host(client.name);
  const auto server = reach(scenario_, from.addresses, client.to, client.port);
  if (!server) return trouble(from.name, client.line, fmt::format("no address of {} is in reach", client.to));
  spawn(from, [this, &from, &client, server](Env& env) {
    const Node* node = world_->find_node(server->address());
    ClientSettings settings{from.name, from.helo, *server, node == nullptr ? std::string{} : node->name(),
                            source_address(from.addresses, *server), name_of(client.to)};
    return run_client_script(env, std::move(settings), client.script, client.script_line, world_->recorder());
  });
}

void Cast::spawn(HostActor& actor, std::move_only_function<Task<void>(Env&)> work) {
  if (actor.tasks == nullptr) return trouble(actor.name, 0, "the host is down");
  ++actor.running;
  actor.tasks->spawn(work_on_host(actor, work(*actor.env)));
}

Task<void> Cast::work_on_host(HostActor& actor, Task<void> task) {
  co_await std::move(task);
  --actor.running;
}

std::size_t Cast::clients_running() const {
  std::size_t all = 0;
  for (const HostActor& actor : hosts_) all += actor.running;
  return all;
}

std::string Cast::clients_pending() const {
  std::string text;
  for (const HostActor& actor : hosts_) {
    if (actor.running > 0) text += fmt::format("client {}: {} under way\n", actor.name, actor.running);
  }
  return text;
}

void Cast::add_dns_fault(std::uint64_t id, DnsFault fault) {
  StandingFault& standing = dns_faults_[id];
  standing.fault = std::move(fault);
  for (DnsServer* server : dns_servers_) standing.at_servers.push_back(server->add_fault(standing.fault));
}

void Cast::remove_dns_fault(std::uint64_t id) {
  const auto at = dns_faults_.find(id);
  if (at == dns_faults_.end()) return;
  for (std::size_t i = 0; i < dns_servers_.size(); ++i) dns_servers_[i]->remove_fault(at->second.at_servers[i]);
  dns_faults_.erase(at);
}

void Cast::change_zones(const ZoneChange& change) {
  zone_changes_.push_back(&change);
  for (DnsServer* server : dns_servers_) server->set_zones(zones());
  world_->recorder().add(record::Fault{"dns.zone", std::string(kResolverHost), change.line, describe(change)});
}

PeerActor* Cast::peer(std::string_view name) {
  const auto at = std::ranges::find_if(peers_, [&](const PeerActor& actor) { return actor.part->name == name; });
  return at == peers_.end() ? nullptr : &*at;
}

void Cast::add_peer_fault(std::string_view name, std::uint64_t id, const PeerFault& fault) {
  if (PeerActor* actor = peer(name)) actor->behaviour->add(id, decorator_of(fault, kRunStart));
}

void Cast::remove_peer_fault(std::string_view name, std::uint64_t id) {
  if (PeerActor* actor = peer(name)) actor->behaviour->remove(id);
}

void Cast::trouble(std::string_view node, std::uint32_t line, std::string what) {
  world_->recorder().add(record::Fault{std::string(kTrouble), std::string(node), line, std::move(what)});
}

Task<void> Cast::run_mta(MtaActor& actor, Env& env) {
  actor.cut = false;
  std::vector<Env*> sessions = {&env};
  Mta mta(actor.config, env, std::move(sessions));
  TaskGroup visits(env.executor);
  actor.mta = &mta;
  actor.visits = &visits;
  std::function<void()> ready = [this, &actor] {
    actor.up = true;
    settle(actor);
  };
  const Result<void> ended = co_await mta.run(std::move(ready));
  actor.mta = nullptr;
  actor.visits = nullptr;
  actor.up = false;
  co_await visits.join();
  if (actor.cut || (!ended && ended.error().code == Errc::closed)) co_return;
  settle(actor);
  trouble(actor.part->name, actor.part->line, ended ? "ended without being asked to" : ended.error().what);
}

Task<void> Cast::run_peer(PeerActor& actor, Env& env) {
  const PeerPart& part = *actor.part;
  PeerProgram peer(env, part, *actor.tls, actor.behaviour, world_->recorder());
  const Result<void> ended = co_await peer.run();
  if (!ended && ended.error().code != Errc::closed) trouble(part.name, part.line, ended.error().what);
}

Task<void> Cast::run_host(HostActor& actor, Env& env) {
  TaskGroup tasks(env.executor);
  Wakeup quiet(env);
  actor.env = &env;
  actor.tasks = &tasks;
  // Nobody wakes it: the node's end does.
  while (co_await quiet.wait() != Woken::closed) {
  }
  actor.tasks = nullptr;
  actor.env = nullptr;
  co_await tasks.join();
}

// One server for each address that somebody asks at: IPv6 only for an MTA that has nothing else.
Task<void> Cast::run_dns(Env& env) {
  std::vector<IpAddress> addresses = {resolver_address()};
  const bool v6_wanted = std::ranges::any_of(
      scenario_.mtas, [](const MtaPart& part) { return !any_of_family(part.addresses, resolver_address()); });
  if (v6_wanted) addresses.push_back(resolver_address6());

  std::vector<std::unique_ptr<DnsServer>> servers;
  TaskGroup serving(env.executor);
  for (auto& [id, standing] : dns_faults_) standing.at_servers.clear();
  for (const IpAddress& address : addresses) {
    DnsServer::NodeOf node_of = [this](const IpAddress& asker) {
      const Node* node = world_->find_node(asker);
      return node == nullptr ? asker.to_string() : node->name();
    };
    servers.push_back(std::make_unique<DnsServer>(env, zones(), scenario_.dns.secure, world_->recorder(),
                                                  std::string(kResolverHost), std::move(node_of)));
    DnsServer& server = *servers.back();
    dns_servers_.push_back(&server);
    for (auto& [id, standing] : dns_faults_) standing.at_servers.push_back(server.add_fault(standing.fault));
    serving.spawn(serve_dns(server, Endpoint(address, kDnsPort)));
  }
  co_await serving.join();
  dns_servers_.clear();
}

Task<void> Cast::serve_dns(DnsServer& server, Endpoint at) {
  const Result<void> ended = co_await server.run(std::move(at));
  if (!ended && ended.error().code != Errc::closed) trouble(kResolverHost, scenario_.dns.zone_line, ended.error().what);
}

ZoneData Cast::zones() {
  ZoneData zones;
  if (const auto added = add_scenario(scenario_, zones); !added) {
    trouble(kResolverHost, scenario_.dns.zone_line, added.error().what);
  }
  for (const ZoneChange* change : zone_changes_) {
    if (const auto changed = zones.change(change->zone, change->remove); !changed) {
      trouble(kResolverHost, change->line, changed.error().what);
    }
  }
  return zones;
}

}  // namespace postproof::sim
