#include "sim/world/world.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mta/base/check.h"
#include "sim/world/host.h"
#include "sim/world/network_impl.h"

namespace postproof::sim {

using world::Core;

World::World(WorldSettings settings, Recording& recording)
    : core_(std::make_unique<Core>(*this, std::move(settings), recording)) {
  core_->network.emplace(*this);
}

World::~World() {
  shut_down();
  core_->loop.drop_everything();  // while what it refers to is there
}

Node& World::add_node(std::string name, std::vector<IpAddress> addresses) {
  PP_CHECK(!core_->by_name.contains(name), "two nodes of one name");
  core_->nodes.push_back(std::unique_ptr<Node>(new Node(*core_, name, std::move(addresses))));
  Node& node = *core_->nodes.back();
  core_->by_name.emplace(std::move(name), &node);
  for (const IpAddress& address : node.addresses()) {
    PP_CHECK(core_->by_address.emplace(address, &node).second, "two nodes of one address");
  }
  return node;
}

Node& World::add_onlooker(const Node& at) {
  core_->nodes.push_back(std::unique_ptr<Node>(new Node(*core_, {}, {})));
  Node& node = *core_->nodes.back();
  node.host().recorded = false;
  node.disk().set_costs({}, {}, {});
  const SimDisk& disk = at.host().disk;
  for (const std::string& path : disk.files()) node.disk().put(path, *disk.content(path));
  return node;
}

Node* World::find_node(std::string_view name) {
  const auto at = core_->by_name.find(name);
  return at == core_->by_name.end() ? nullptr : at->second;
}

Node* World::find_node(const IpAddress& address) { return core_->find(address); }

Duration World::now() const { return core_->loop.now(); }
Recorder& World::recorder() { return core_->recorder; }
SimNetwork& World::network() { return *core_->network; }
std::unique_ptr<Random> World::random(std::string_view name) { return core_->entropy.stream(name); }
const WorldSettings& World::settings() const { return core_->settings; }

void World::at(Duration when, std::move_only_function<void()> action) {
  core_->loop.at(when, [this, action = std::move(action)]() mutable { core_->loop.run_between_events(action); });
}

void World::after_this_event(std::move_only_function<void()> action) {
  core_->loop.after_this_event(std::move(action));
}

World::Stopped World::run(Duration limit, const std::function<bool()>& finished) {
  PP_CHECK(!core_->running && !core_->shut_down, "World::run within World::run, or after shut_down");
  core_->running = true;
  struct NotRunning {
    bool& running;
    ~NotRunning() { running = false; }
  } const not_running{core_->running};
  world::Loop& loop = core_->loop;
  const world::RecycledMemory recycled(loop.memory());
  for (;;) {
    while (loop.run_one()) {
      if (loop.events_run() >= core_->settings.events_max) return Stopped::events;
      if (core_->recorder.octets() >= core_->settings.recording_max) return Stopped::recording;
      if (!core_->stuck.empty()) return Stopped::stuck;
    }
    if (finished && finished()) return Stopped::finished;
    if (loop.has_now()) continue;  // the question has set something off
    if (!loop.has_next()) return Stopped::idle;
    if (loop.next_time() > limit) {
      loop.move_time_to(std::max(limit, loop.now()));
      return Stopped::limit;
    }
    loop.move_time_to(loop.next_time());
  }
}

std::uint64_t World::events_run() const { return core_->loop.events_run(); }

std::size_t World::running_programs() const {
  return static_cast<std::size_t>(
      std::count_if(core_->nodes.begin(), core_->nodes.end(), [](const auto& node) { return node->running(); }));
}

std::string World::describe_pending() const {
  std::string text;
  for (const std::string& name : core_->stuck) text += name + ": crashed, and its program does not end\n";
  for (const auto& node : core_->nodes) {
    if (!node->running()) continue;
    const auto& clock = node->host().lives.back()->clock();
    const auto next = clock.next();
    text += fmt::format("{}: running, {} waits", node->name(), clock.pending());
    text += next ? ", the next until " + format_duration(*next) + "\n" : ", none for a time\n";
  }
  return text + core_->network->describe_connections();
}

const std::vector<std::string>& World::stuck_nodes() const { return core_->stuck; }

void World::shut_down() {
  if (std::exchange(core_->shut_down, true)) return;
  PP_CHECK(!core_->running, "shut_down within World::run");
  for (const auto& node : core_->nodes) {
    for (const auto& life : node->host().lives) {
      if (life->dead() && !life->unwinding()) continue;
      // One that was stuck may have been let go since.
      static_cast<void>(life->dead() ? life->unwind() : life->end());
    }
  }
}

namespace world {

Core::Core(World& owner, WorldSettings of_the_world, Recording& recording)
    : world(owner),
      settings(std::move(of_the_world)),
      recorder(recording, [this] { return loop.now(); }),
      entropy(settings.seed, "", 0),
      tls(std::make_shared<TlsLibrary>(entropy.stream("world.tls"))) {}

Node* Core::find(const IpAddress& address) const {
  const auto at = by_address.find(address);
  return at == by_address.end() ? nullptr : at->second;
}

void Core::set_arrival(std::size_t record, std::optional<Duration> arrives) {
  if (shut_down) return;
  auto& what = recorder.recording().records[record].what;
  if (auto* plain = std::get_if<record::Plain>(&what)) {
    plain->arrives = arrives;
  } else {
    std::get<record::Octets>(what).arrives = arrives;
  }
}

void Core::set_lost(std::size_t datagram_record) {
  if (shut_down) return;
  std::get<record::Datagram>(recorder.recording().records[datagram_record].what).lost = true;
}

}  // namespace world

}  // namespace postproof::sim
