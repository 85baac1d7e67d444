#include "sim/world/node.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "mta/base/check.h"
#include "sim/world/host.h"

namespace postproof::sim {

namespace asio = boost::asio;
using world::Host;
using world::Life;

Node::Node(world::Core& core, std::string name, std::vector<IpAddress> addresses)
    : host_(std::make_unique<Host>(core, *this, std::move(name), std::move(addresses))) {}
Node::~Node() = default;

const std::string& Node::name() const { return host_->name; }
const std::vector<IpAddress>& Node::addresses() const { return host_->addresses; }
World& Node::world() { return host_->core.world; }

void Node::start(Program program) {
  if (running() && host_->lives.back()->dead()) return;  // stuck: the run has failed, and ends
  PP_CHECK(!running(), "a node was started while its program runs");
  host_->program = std::move(program);
  restart();
}

bool Node::running() const { return !host_->lives.empty() && host_->lives.back()->running; }

void Node::restart() {
  if (running() && host_->lives.back()->dead()) return;  // stuck: the run has failed, and ends
  PP_CHECK(!running(), "a node was restarted while its program runs");
  if (!host_->lives.empty() && host_->lives.back()->started) host_->end_life(false);
  Life& life = host_->lives.empty() || host_->lives.back()->gone() ? host_->begin_life() : host_->life();
  if (!host_->program) return;  // driven from outside
  life.started = life.running = true;
  // What was stopped before it began does not begin; a process that is started anew is another one.
  host_->paused = host_->paused && host_->lives.size() == 1;
  life.pause(host_->paused);
  host_->add(record::NodeState{host_->name, "start"});
  asio::co_spawn(life.env().executor, host_->program(life.env()), [this, &life](std::exception_ptr error) {
    life.running = false;
    if (!life.gone()) host_->add(record::NodeState{host_->name, "stop"});
    if (error) std::rethrow_exception(error);  // out of World::run: a broken invariant, or a failed test
  });
}

void Node::crash() {
  PP_CHECK(!host_->core.loop.in_node_code(), "crash() from within a node's own calls; use crash_soon()");
  host_->end_life(true);
}

void Node::crash_soon() {
  if (host_->lives.empty()) return;
  Life& life = *host_->lives.back();
  if (life.gone()) return;
  life.doom();
  host_->core.loop.after_this_event([this, &life] {
    if (&life == host_->lives.back().get()) host_->end_life(true);
  });
}

Env& Node::env() { return host_->life().env(); }
SimDisk& Node::disk() { return host_->disk; }
void Node::on_event(std::function<void(const Event&)> observer) { host_->observer = std::move(observer); }

void Node::set_clock_offset(Duration offset) { host_->clock.set_offset(offset, host_->core.loop.now()); }
void Node::move_clock(Duration by) { host_->clock.move(by, host_->core.loop.now()); }
void Node::set_clock_drift(std::int64_t ppm) { host_->clock.set_drift(ppm, host_->core.loop.now()); }
void Node::freeze_clock(bool still) { host_->clock.freeze(still, host_->core.loop.now()); }

WallTime Node::wall_clock() const { return host_->clock.wall(host_->core.settings.start, host_->core.loop.now()); }

void Node::pause(bool paused) {
  if (std::exchange(host_->paused, paused) == paused || host_->lives.empty()) return;
  if (!host_->lives.back()->gone()) host_->lives.back()->pause(paused);
}

void Node::set_descriptors_max(std::optional<std::uint64_t> count, std::function<void()> on_refusal) {
  host_->descriptors_max = count;
  host_->on_no_descriptor = std::move(on_refusal);
}

namespace world {

Host::Host(Core& of_the_world, Node& of_the_host, std::string called, std::vector<IpAddress> has)
    : core(of_the_world),
      node(of_the_host),
      name(std::move(called)),
      addresses(std::move(has)),
      random_ports(SimEntropy(core.settings.seed, name, 0).stream("world.ports")),
      disk(of_the_host) {}

bool Host::has_address(const IpAddress& address) const {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

Life& Host::life() { return lives.empty() ? begin_life() : *lives.back(); }

Life& Host::begin_life() {
  lives.push_back(std::make_unique<Life>(*this, lives.size() + 1));
  return *lives.back();
}

void Host::end_life(bool crash) {
  Life* life = lives.empty() ? nullptr : lives.back().get();
  if (life != nullptr && life->dead()) return;
  if (crash) {
    add(record::NodeState{name, "crash"});
    disk.crash();
  }
  if (life == nullptr) return;
  life->doom();
  if (!life->end()) core.stuck.push_back(name);
}

}  // namespace world

}  // namespace postproof::sim
