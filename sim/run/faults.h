// The faults of a scenario: what each does to the world when it begins, and what undoes it.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/run/assemble.h"
#include "sim/scenario/scenario.h"
#include "sim/world/sim_network.h"
#include "sim/world/world.h"

namespace postproof::sim {

class Faults {
 public:
  // `disk_op`: where a crash with disk_op = "each" strikes in this variant; none: it does not. The cast has
  // entered its world, which ends before this does.
  Faults(Cast& cast, std::optional<std::uint64_t> disk_op);
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // Strikes now, or is armed now; ends by itself after `for`. From the world's loop, or before it runs.
  void begin(const Fault& fault, std::uint32_t line);

  // The crash of disk_op = "each" has come.
  bool each_fired() const { return each_fired_; }
  // Restarts, and ends of pauses, that are ahead.
  std::size_t pending() const { return pending_; }

 private:
  // A crash that waits for its event or disk operation.
  struct Armed {
    const Fault* fault = nullptr;
    std::uint32_t line = 0;
    MtaActor* actor = nullptr;
    std::optional<std::uint64_t> disk_op;  // counted from when `counting` began
    bool counting = false;
    std::uint64_t counted = 0;
    bool each = false;
    bool fired = false;
  };
  struct HostFaultInForce {
    std::uint64_t id = 0;
    HostFault fault = HostFault::none;
  };
  using HostPort = std::pair<std::string, std::optional<std::uint16_t>>;

  void begin_tcp(const Fault& fault, std::uint32_t line);
  void begin_host_fault(const Fault& fault, std::uint32_t line, HostFault kind);
  void begin_partition(const Fault& fault, std::uint32_t line);
  void begin_way(const Fault& fault, std::uint32_t line);
  void cut_at_once(const Fault& fault, std::uint32_t line);
  void cut_at_a_point(const Fault& fault, std::uint32_t line);
  void begin_dns(const Fault& fault, std::uint32_t line);
  void begin_smtp(const Fault& fault, std::uint32_t line);
  void begin_tls(const Fault& fault, std::uint32_t line);
  void begin_disk(const Fault& fault, std::uint32_t line);
  void begin_process(const Fault& fault, std::uint32_t line);
  void begin_pause(const Fault& fault, std::uint32_t line);
  void begin_descriptors(const Fault& fault, std::uint32_t line);
  void begin_crash(const Fault& fault, std::uint32_t line);
  void begin_clock(const Fault& fault, std::uint32_t line);
  // Tells the first passage that the fault meets, in the recording; an id for the network to forget it by.
  std::uint64_t watch(const Fault& fault, std::uint32_t line, std::function<bool(const Passage&)> meets);
  void apply_host_faults(const HostPort& where);
  void end_later(const Fault& fault, std::uint32_t line, std::move_only_function<void()> undo);

  void saw_event(MtaActor& actor, const Event& event);
  void saw_disk_operation(MtaActor& actor, std::string_view operation, std::string_view path);
  void fire(Armed& armed, const std::string& detail);
  void prepare_crash(const Fault& fault, std::uint32_t line, MtaActor& actor, const std::string& detail);
  void restart_later(const Fault& fault, MtaActor& actor);

  // A detail that begins with "begins", "ends" or "finds" says that nothing has been struck (yet).
  void tell(const Fault& fault, std::uint32_t line, std::string detail);

  Cast& cast_;
  World& world_;
  std::optional<std::uint64_t> each_at_;
  bool each_fired_ = false;
  std::size_t pending_ = 0;
  std::uint64_t next_id_ = 1'000'000;  // above the cast's own
  std::list<Armed> armed_;             // hooks hold references
  std::map<HostPort, std::vector<HostFaultInForce>> host_faults_;
  std::vector<const MtaActor*> disks_watched_;
  std::map<std::string, unsigned> pauses_;  // by host: how many are in force
};

}  // namespace postproof::sim
