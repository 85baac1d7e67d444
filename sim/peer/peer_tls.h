// A simulated server's side of TLS: its terms, which faults change as they come and go, and TLS over a connection as
// they say at that moment.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "mta/tls/stream.h"
#include "sim/peer/authority.h"
#include "sim/recording/recorder.h"
#include "sim/scenario/server_tls.h"

namespace postproof::sim {

class Served;

class PeerTls {
 public:
  // The authority outlives it.
  PeerTls(Authority& authority, ServerTls terms, std::vector<std::string> names, std::vector<IpAddress> addresses);

  ServerTls terms() const;

  void add_fault(std::uint64_t id, Fault fault, std::uint32_t line);
  void remove_fault(std::uint64_t id);
  // Notes that the faults that stand strike now, but for those that wait for a point of the handshake or behind it:
  // secure() does that.
  void record_faults(Recorder& recorder, const std::string& node) const;

  // Puts TLS over the connection and shakes hands, as the terms say. `buffered` as of tls::Stream. The recorder
  // outlives the connection.
  Task<Result<void>> secure(Served& served, std::string_view buffered, Deadline deadline, Recorder& recorder,
                            std::string node);

 private:
  struct Standing {
    std::uint64_t id;
    Fault fault;
    std::uint32_t line;
    bool waits() const { return !fault.message.empty() || fault.kind == "tls.truncate"; }
  };
  // What tells that a fault has cut the connection: of those that stand, the newest of its kind.
  std::function<void()> cut_teller(bool behind, Recorder& recorder, std::string node) const;

  Authority& authority_;
  ServerTls terms_;
  std::vector<std::string> names_;
  std::vector<IpAddress> addresses_;
  std::list<Standing> faults_;
};

}  // namespace postproof::sim
