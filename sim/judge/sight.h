// What a judge can see of the MTAs under test. In a simulation everything; of an MTA that runs elsewhere only
// what crosses the sockets of the peers, clients and DNS servers that it talks to.
#pragma once

#include <cstdint>
#include <string>

#include "sim/scenario/scenario.h"

namespace postproof::sim {

enum class Sight : std::uint8_t {
  everything,
  wire,  // no events, no queue, no disk; an end of a run that depends on how long somebody has watched
};

// Why the expectation cannot be judged from the wire alone: "attempts are told by the MTA itself". Empty: it can.
std::string beyond_the_wire(const Expect& expect);

// "expect attempts", as failures call it.
std::string expectation_name(const Expect& expect);

}  // namespace postproof::sim
