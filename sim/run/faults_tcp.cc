// The faults of the layer tcp. Those of a whole host stand in one table of the network, those of the way
// between hosts are settings of it, and those that strike at a point tap what crosses it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "mta/base/text.h"
#include "sim/run/faults.h"

namespace postproof::sim {

namespace {

// Longer than any line of SMTP that anybody looks for; of what is longer, the begin is looked at.
constexpr std::size_t kLineMax = 4096;

HostFault host_fault(std::string_view kind) {
  if (kind == "tcp.refuse") return HostFault::refuse;
  if (kind == "tcp.unreachable") return HostFault::unreachable;
  if (kind == "tcp.blackhole") return HostFault::blackhole;
  if (kind == "tcp.silent") return HostFault::silent;
  if (kind == "tcp.backlog") return HostFault::backlog;
  return HostFault::none;
}

std::optional<Cut> cut_of(std::string_view kind) {
  if (kind == "tcp.reset") return Cut::reset;
  if (kind == "tcp.fin") return Cut::fin;
  if (kind == "tcp.half-close") return Cut::half_close;
  return std::nullopt;
}

// The settings for what the host of a fault gets and sends, as far as it is about them.
std::vector<WayChange> changes_of(const Fault& fault) {
  WayChange change;
  if (fault.bandwidth != 0) change.bandwidth = fault.bandwidth;
  if (fault.packet != 0) change.packet = fault.packet;
  if (fault.segment != 0) change.segment = fault.segment;
  if (fault.loss_share > 0) change.loss = fault.loss_share;
  if (fault.jitter > Duration{0}) change.jitter = fault.jitter;
  change.delay = fault.by;
  change.held = fault.kind == "tcp.hold";
  change.window_closed = fault.kind == "tcp.zero-window";
  std::vector<WayChange> changes;
  if (fault.way != FaultWay::from) {
    change.from = fault.with;
    change.to = fault.host;
    changes.push_back(change);
  }
  if (fault.way != FaultWay::to && fault.kind != "tcp.zero-window") {
    change.from = fault.host;
    change.to = fault.with;
    changes.push_back(change);
  }
  return changes;
}

// Whether what passes between two hosts is kept from it by a fault of a whole host.
bool meets(const Fault& fault, HostFault kind, const Passage& passage) {
  if (fault.port && passage.port != *fault.port && passage.other_port != *fault.port) return false;
  if (passage.to != fault.host && passage.from != fault.host) return false;
  const bool dialed = passage.what == Passage::What::dial && passage.to == fault.host;
  return dialed || kind == HostFault::unreachable || kind == HostFault::blackhole;
}

bool meets(const Fault& fault, const std::vector<WayChange>& changes, const Passage& passage) {
  const bool of_way = std::ranges::any_of(changes, [&](const WayChange& change) {
    return (change.from.empty() || change.from == passage.from) && (change.to.empty() || change.to == passage.to);
  });
  if (!of_way) return false;
  if (fault.kind == "tcp.zero-window") return passage.what == Passage::What::shut_window;
  if (fault.kind == "tcp.delay" || fault.kind == "tcp.loss") return passage.what != Passage::What::shut_window;
  return passage.what == Passage::What::octets;
}

bool meets_partition(const Fault& fault, const Passage& passage) {
  const bool there = passage.from == fault.with && passage.to == fault.host;
  const bool back = passage.from == fault.host && passage.to == fault.with;
  // Without the way back a dial gets no answer.
  if (passage.what == Passage::What::dial) return there || back;
  return (there && fault.way != FaultWay::from) || (back && fault.way != FaultWay::to);
}

// Whether octets that cross somewhere are among those that a fault is about.
bool concerns(const Fault& fault, const Crossing& crossing) {
  const auto of = [&](std::string_view host, std::string_view other) {
    return host == fault.host && (fault.with.empty() || other == fault.with);
  };
  if (fault.port && crossing.port != *fault.port) return false;
  return (fault.way != FaultWay::from && of(crossing.receiver(), crossing.sender())) ||
         (fault.way != FaultWay::to && of(crossing.sender(), crossing.receiver()));
}

// How far one direction of one connection has come.
struct Watched {
  std::uint64_t octets = 0;
  std::uint64_t matches = 0;
  std::string line;  // what has been sent of it
};

// Finds the point at which a fault strikes.
class PointWatch {
 public:
  explicit PointWatch(const Fault& fault) : fault_(fault) {}

  // How many of the octets still pass, when it is among them. `where` says which point it was.
  std::optional<std::size_t> see(const Crossing& crossing, std::string& where) {
    Watched& watched = watched_[{crossing.connection, crossing.from}];
    return fault_.octet ? see_octets(watched, crossing, where) : see_lines(watched, crossing, where);
  }

 private:
  std::optional<std::size_t> see_octets(Watched& watched, const Crossing& crossing, std::string& where) const {
    const std::uint64_t before = watched.octets;
    watched.octets += crossing.octets.size();
    if (watched.octets < *fault_.octet) return std::nullopt;
    where = fmt::format("behind {} octets", *fault_.octet);
    return static_cast<std::size_t>(*fault_.octet - before);
  }

  std::optional<std::size_t> see_lines(Watched& watched, const Crossing& crossing, std::string& where) const {
    std::string_view rest = crossing.octets;
    std::size_t begin = 0;  // of the line, in these octets
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view piece = rest.substr(0, end);
      if (watched.line.size() < kLineMax) watched.line += piece.substr(0, kLineMax - watched.line.size());
      if (end == std::string_view::npos) return std::nullopt;
      std::string line = std::exchange(watched.line, {});
      if (line.ends_with('\r')) line.pop_back();
      const std::size_t behind = begin + end + 1;
      if (glob_match(fault_.at_line, line, true) && ++watched.matches == fault_.nth.value_or(1)) {
        where = fmt::format("at the line {}", escape(line));
        return fault_.passes ? behind : begin;
      }
      rest.remove_prefix(end + 1);
      begin = behind;
    }
    return std::nullopt;
  }

  const Fault& fault_;
  std::map<std::pair<ConnectionId, Side>, Watched> watched_;
};

}  // namespace

void Faults::begin_tcp(const Fault& fault, std::uint32_t line) {
  if (const HostFault kind = host_fault(fault.kind); kind != HostFault::none) return begin_host_fault(fault, line, kind);
  if (fault.kind == "tcp.partition") return begin_partition(fault, line);
  if (!cut_of(fault.kind)) return begin_way(fault, line);
  if (fault.instant) return cut_at_once(fault, line);
  cut_at_a_point(fault, line);
}

void Faults::begin_host_fault(const Fault& fault, std::uint32_t line, HostFault kind) {
  tell(fault, line, "begins");
  const HostPort where{fault.host, fault.port};
  const std::uint64_t id = next_id_++;
  host_faults_[where].push_back(HostFaultInForce{id, kind});
  const std::uint64_t watched = watch(fault, line, [this, &fault, kind, where, id](const Passage& passage) {
    return host_faults_[where].back().id == id && meets(fault, kind, passage);
  });
  apply_host_faults(where);
  end_later(fault, line, [this, where, id, watched] {
    world_.network().remove_onlooker(watched);
    std::erase_if(host_faults_[where], [&](const HostFaultInForce& one) { return one.id == id; });
    apply_host_faults(where);
  });
}

// Of several at one place the newest is in force.
void Faults::apply_host_faults(const HostPort& where) {
  const auto& standing = host_faults_[where];
  world_.network().set_fault(where.first, standing.empty() ? HostFault::none : standing.back().fault, where.second);
}

void Faults::begin_partition(const Fault& fault, std::uint32_t line) {
  tell(fault, line, "begins");
  const auto part = [this, &fault](bool parted) {
    SimNetwork& network = world_.network();
    if (fault.way != FaultWay::from) network.partition_one_way(fault.with, fault.host, parted);
    if (fault.way != FaultWay::to) network.partition_one_way(fault.host, fault.with, parted);
  };
  const std::uint64_t watched = watch(fault, line, [&fault](const Passage& passage) { return meets_partition(fault, passage); });
  part(true);
  end_later(fault, line, [this, part, watched] {
    world_.network().remove_onlooker(watched);
    part(false);
  });
}

void Faults::begin_way(const Fault& fault, std::uint32_t line) {
  tell(fault, line, "begins");
  std::vector<WayChange> changes = changes_of(fault);
  const std::uint64_t watched = watch(fault, line, [&fault, changes](const Passage& passage) { return meets(fault, changes, passage); });
  std::vector<std::uint64_t> ids;
  for (WayChange& change : changes) ids.push_back(world_.network().add_way(std::move(change)));
  end_later(fault, line, [this, ids = std::move(ids), watched] {
    world_.network().remove_onlooker(watched);
    for (const std::uint64_t id : ids) world_.network().remove_way(id);
  });
}

void Faults::cut_at_once(const Fault& fault, std::uint32_t line) {
  const Cut cut = *cut_of(fault.kind);
  std::set<ConnectionId> struck;
  world_.network().ask([&](const Crossing& crossing) -> std::optional<CutBehind> {
    if (!concerns(fault, crossing)) return std::nullopt;
    // Of the two directions, the half that closes is what the host gets.
    if (cut == Cut::half_close && fault.way == FaultWay::both && crossing.receiver() != fault.host) return std::nullopt;
    if (!struck.insert(crossing.connection).second) return std::nullopt;
    return CutBehind{0, cut};
  });
  tell(fault, line, struck.empty() ? "finds no connection" : "strikes");
}

void Faults::cut_at_a_point(const Fault& fault, std::uint32_t line) {
  tell(fault, line, "begins");
  const auto watch = std::make_shared<PointWatch>(fault);
  const auto struck = std::make_shared<std::set<ConnectionId>>();
  const std::uint64_t id = world_.network().add_tap(
      [this, &fault, line, watch, struck](const Crossing& crossing) -> std::optional<CutBehind> {
        if (!concerns(fault, crossing) || struck->contains(crossing.connection)) return std::nullopt;
        if (fault.times && struck->size() >= *fault.times) return std::nullopt;
        std::string where;
        const auto passes = watch->see(crossing, where);
        if (!passes) return std::nullopt;
        struck->insert(crossing.connection);
        tell(fault, line, fmt::format("strikes connection {}, {} > {}, {}", crossing.connection, crossing.sender(),
                                      crossing.receiver(), where));
        return CutBehind{*passes, *cut_of(fault.kind)};
      });
  end_later(fault, line, [this, id] { world_.network().remove_tap(id); });
}

}  // namespace postproof::sim
