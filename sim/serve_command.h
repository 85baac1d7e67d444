// The command `postproof serve`: puts the operating system under a scenario's resolver, peers and clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/serve/serve.h"

namespace postproof::sim {

struct ServeArguments {
  std::string path;
  std::vector<std::string> mtas;  // "HOST:PORT", or "NAME=HOST:PORT"
  bool loopback = false;
  std::uint16_t port_offset = 0;
  ServeOptions options;
  bool limit_given = false;  // else the scenario's own counts, if it is shorter
  std::optional<std::string> report;
  std::optional<std::string> ca;  // the file that the peers' authority's certificate goes to
  bool json = false;
};

// Writes results to standard output, complaints and what it waits for to standard error. Returns the exit status: 0
// passed, 1 failed, 2 invalid or not possible here.
int serve_command(const ServeArguments& arguments);

}  // namespace postproof::sim
