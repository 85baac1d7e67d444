// Probes: named points that a suite or an exploration should come by at least once. A run that never meets a full disk,
// or a peer that answers 421 to DATA, proves nothing about them; what no run has reached is told.
//
// A name is "GROUP POINT": "fault tcp.reset", "reply RCPT 4yz", "dsn failed". docs/explore.md describes the groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/recording/record.h"

namespace postproof::sim {

using ProbeSet = std::set<std::string, std::less<>>;

// Every probe that there is, by group, in a fixed order.
const std::vector<std::string>& all_probes();

// Those that a run has reached.
ProbeSet probes_reached(const Recording& recording);

// Over many runs.
class ProbeCount {
 public:
  void add(const ProbeSet& reached);

  std::size_t reached() const { return runs_.size(); }
  // In how many runs, by probe.
  const std::map<std::string, std::uint64_t, std::less<>>& runs() const { return runs_; }
  // In the order of all_probes().
  std::vector<std::string> never() const;

 private:
  std::map<std::string, std::uint64_t, std::less<>> runs_;
};

// For people: how many were reached, then a line for each group with what was not.
std::string probes_text(const ProbeCount& count);

}  // namespace postproof::sim
