// What the runs of a group of seeds have come to together: the expectations `rate` and `distribution`. It keeps
// numbers, no recordings.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/judge/judge.h"

namespace postproof::sim {

class Tally {
 public:
  // The scenario outlives it.
  explicit Tally(const Scenario& scenario);

  // False: no expectation looks at a group, and nobody need add.
  bool wanted() const { return !counts_.empty(); }
  // One run of the group.
  void add(const Recording& recording);
  // Adds what the group has failed, and how many of its expectations held.
  void judge(Judgement& judgement) const;

 private:
  struct Count {
    const Expect* expect = nullptr;
    std::uint64_t held = 0;                  // rate: runs
    std::optional<std::uint64_t> first_not;  // rate: the first seed in which it did not hold
    std::vector<std::uint64_t> fell;         // distribution: on each host
  };

  const Scenario& scenario_;
  std::uint64_t runs_ = 0;
  std::vector<Count> counts_;
};

}  // namespace postproof::sim
