// The cast of a scenario: its MTAs, peers and clients, the resolver and the submitting client as nodes of a
// world, and the programs that run on them. What they are doing is told here; what happens when is run.cc's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "mta/mta.h"
#include "sim/dns/dns_server.h"
#include "sim/peer/decorator.h"
#include "sim/peer/peer_tls.h"
#include "sim/scenario/scenario.h"
#include "sim/world/node.h"
#include "sim/world/world.h"

namespace postproof::sim {

struct MtaActor {
  const MtaPart* part = nullptr;
  Config config;  // complete
  Node* node = nullptr;
  Mta* mta = nullptr;           // while its run() is under way
  TaskGroup* visits = nullptr;  // for tasks that ask it something
  bool up = false;              // in this life
  bool cut = false;             // a crash was ordered; until the next start
  bool settled = false;                                  // it is up, or was cut, or nothing will bring it up
  std::vector<std::move_only_function<void()>> waiting;  // for that
};

// A host that clients run on.
struct HostActor {
  std::string name;
  std::string helo;
  std::vector<IpAddress> addresses;
  Node* node = nullptr;
  Env* env = nullptr;  // while its program runs
  TaskGroup* tasks = nullptr;
  std::size_t running = 0;  // submissions and dialogues under way
};

struct PeerActor {
  const PeerPart* part = nullptr;
  Node* node = nullptr;
  std::shared_ptr<DecoratedBehaviour> behaviour;  // the faults of an [[at]] around what it shares with others
  std::optional<PeerTls> tls;  // always there
};

class Cast {
 public:
  // The scenario outlives it; and it outlives the world that it enters.
  explicit Cast(const Scenario& scenario);
  Cast(const Cast&) = delete;
  Cast& operator=(const Cast&) = delete;

  // Makes the nodes and links.
  void enter(World& world);
  // Starts the programs.
  void start();

  std::deque<MtaActor>& mtas() { return mtas_; }
  MtaActor* mta(std::string_view name);
  PeerActor* peer(std::string_view name);
  World& world() { return *world_; }

  // Nobody waits for it to come up any more. From anywhere: what waits goes on after this event.
  void settle(MtaActor& actor);
  // It is down, and will be started anew.
  void unsettle(MtaActor& actor) { actor.settled = false; }

  // Hands a message over from its client host, now; `count` of them at once.
  void submit(const Submit& submit);
  // Runs a client's dialogue, now.
  void follow_script(const ClientPart& client);
  std::size_t clients_running() const;
  std::string clients_pending() const;  // a line for each host with something under way

  // Faults of the resolver outlive its crashes. `id` is the caller's.
  void add_dns_fault(std::uint64_t id, DnsFault fault);
  void remove_dns_fault(std::uint64_t id);

  // From now on the DNS has these answers.
  void change_zones(const ZoneChange& change);
  // Part of the world does not work: the run fails. `line` is the scenario's, 0: none.
  void trouble(std::string_view node, std::uint32_t line, std::string what);
  // The MTA that has the address; null: none has.
  MtaActor* mta_at(const IpAddress& address);

  // Faults of a peer, for as long as the run. `id` is the caller's.
  void add_peer_fault(std::string_view peer, std::uint64_t id, const PeerFault& fault);
  void remove_peer_fault(std::string_view peer, std::uint64_t id);

  // Sees every event of an MTA after it was recorded; must not crash it but by crash_soon.
  std::function<void(MtaActor&, const Event&)> on_event;

 private:
  struct StandingFault {
    DnsFault fault;
    std::vector<std::uint64_t> at_servers;  // its ids at the servers that run now
  };

  void enter_mta(const MtaPart& part);
  void give_files(MtaActor& actor);
  void enter_tls(MtaActor& actor);
  void enter_links();
  HostActor& add_host(std::string name, std::string helo, std::vector<IpAddress> addresses);
  HostActor& host(std::string_view name);
  std::string name_of(std::string_view host) const;
  void submit_one(HostActor& from, const Submit& submit, const Endpoint& server);
  void spawn(HostActor& host, std::move_only_function<Task<void>(Env&)> work);

  Task<void> run_mta(MtaActor& actor, Env& env);
  Task<void> run_peer(PeerActor& actor, Env& env);
  Task<void> run_host(HostActor& actor, Env& env);
  Task<void> run_dns(Env& env);
  Task<void> serve_dns(DnsServer& server, Endpoint at);
  Task<void> work_on_host(HostActor& actor, Task<void> task);
  ZoneData zones();

  const Scenario& scenario_;
  const bool uses_tls_;  // somebody may speak TLS: nobody pays for it otherwise
  World* world_ = nullptr;
  std::deque<MtaActor> mtas_;  // deques: programs hold references
  std::deque<PeerActor> peers_;
  Authority authority_;
  std::deque<HostActor> hosts_;
  StandingBehaviours behaviours_;
  Node* dns_node_ = nullptr;
  std::vector<DnsServer*> dns_servers_;  // that run now
  std::map<std::uint64_t, StandingFault> dns_faults_;
  std::vector<const ZoneChange*> zone_changes_;  // so far
};

}  // namespace postproof::sim
