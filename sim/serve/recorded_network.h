// A network in front of another one: what one host of a scenario does on it is recorded, and its listeners can be told
// to refuse connections for a while.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "mta/env/env.h"
#include "sim/serve/wire_log.h"

namespace postproof::sim {

class RecordedNetwork final : public Network {
 public:
  // Both outlive it, and everything that it has opened.
  RecordedNetwork(Env& env, WireLog& log, std::string node) : env_(env), log_(log), node_(std::move(node)) {}

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to, std::optional<IpAddress> from, Deadline deadline) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at) override;
  Result<std::unique_ptr<Datagram>> open_datagram(const Endpoint& local) override;

  // Closes every connection that was opened here: what waits for them ends with Errc::closed.
  void close_opened();

  // From here on nobody listens, though whoever accepts waits on; connections that stand go on. As often as it is told,
  // it must be told the end of it.
  void begin_refusing();
  void end_refusing();

 private:
  class ReopenedListener;

  Env& env_;
  WireLog& log_;
  const std::string node_;
  std::map<ConnectionId, Stream*> opened_;
  std::vector<ReopenedListener*> listeners_;
  std::size_t refusing_ = 0;
};

}  // namespace postproof::sim
