// The validating recursive resolver that the simulated internet's MTAs ask: UDP and TCP on port 53 of
// its node, answers from zone text with RA set, AD where the scenario says "secure". Over Env& alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mta/base/result.h"
#include "mta/env/env.h"
#include "sim/dns/dns_fault.h"
#include "sim/dns/zone_data.h"
#include "sim/recording/recorder.h"

namespace postproof::sim {

class DnsServer {
 public:
  // Which node has an address, for the recording.
  using NodeOf = std::function<std::string(const IpAddress&)>;

  // `secure`: names; answers for them and what is below carry AD. `node` is the server's own; without
  // `node_of`, clients are recorded by their addresses.
  DnsServer(Env& env, ZoneData zones, std::vector<std::string> secure, Recorder& recorder, std::string node = "dns",
            NodeOf node_of = {});
  ~DnsServer();

  std::uint64_t add_fault(DnsFault fault);
  void remove_fault(std::uint64_t id);
  // From now on these are the answers; caches do not know of it.
  void set_zones(ZoneData zones);

  // Serves on both transports until the Env goes away or stop(). Run once. An error: it could not listen.
  Task<Result<void>> run(Endpoint at);
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postproof::sim
