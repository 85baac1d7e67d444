// Gives a scenario's hosts the addresses and ports that they have on real sockets.
//
// At their own addresses nothing changes but the ports, by an offset. On loopback each IPv4 address keeps its last three
// octets behind 127, and IPv6 ones go where the host has others. An MTA under test is where its operator says, else at
// its scenario's address. Submissions come from an IPv6 address too where an MTA listens at one.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

struct Placement {
  bool loopback = false;
  std::uint16_t port_offset = 0;         // added to the port of every server, 25 and 53 among them
  std::map<std::string, Endpoint> mtas;  // by name: where each takes submissions
};

struct PlacedScenario {
  Scenario scenario;  // with those addresses and ports
  Endpoint resolver;
  std::vector<IpAddress> submit_hosts;  // where submissions come from
};

// Whether a peer may come to speak TLS, as far as its own keys say.
bool may_speak_tls(const PeerPart& part);

// Every kind of complaint about a scenario that cannot be played on real sockets: faults that need a world, addresses
// that cannot be had, MTAs that it has not.
std::expected<PlacedScenario, std::vector<Problem>> place(const Scenario& scenario, const Placement& placement);

}  // namespace postproof::sim
