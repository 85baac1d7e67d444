// Judges a run: the scenario's expectations and the invariants that always hold, from the recording
// alone. What peers, clients, DNS and the clock saw counts; the MTA's own events answer only
// `attempts`, `queue` and what `never` asks of them, and must agree with the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/judge/sight.h"
#include "sim/recording/record.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

// The kind of a record::Fault by which the runner tells that a part of the world did not come up: it fails the run.
inline constexpr std::string_view kTrouble = "trouble";

struct Failure {
  std::uint32_t line = 0;   // in the scenario; 0: an invariant
  std::string expectation;  // "expect delivered", "invariant: nothing acknowledged is lost"
  std::string wanted;
  std::string nearest;               // what came nearest, or "nothing"
  std::vector<std::size_t> records;  // indexes of the records that show it, in order: the wire lines around it
};

// An expectation that this judge could not see enough for.
struct Unjudged {
  std::uint32_t line = 0;
  std::string expectation;
  std::string why;
};

struct Judgement {
  std::vector<Failure> failures;
  std::vector<Unjudged> unjudged;  // of Sight::wire
  std::size_t passed = 0;  // expectations that held
  bool ok() const { return failures.empty(); }
};

// With Sight::wire, expectations and the part of the invariants that need the MTAs' own word are left out: that
// events agree with the wire, and that a message from the null sender is not lost (that it failed is told to nobody).
Judgement judge(const Scenario& scenario, const Recording& recording, Sight sight = Sight::everything);

}  // namespace postproof::sim
