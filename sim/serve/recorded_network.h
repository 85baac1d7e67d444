// A network in front of another one: what one host of a scenario does on it is recorded.
#pragma once

#include <map>
#include <string>

#include "mta/env/network.h"
#include "sim/serve/wire_log.h"

namespace postproof::sim {

class RecordedNetwork final : public Network {
 public:
  // Both outlive it, and everything that it has opened.
  RecordedNetwork(Network& inner, WireLog& log, std::string node)
      : inner_(inner), log_(log), node_(std::move(node)) {}

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to, std::optional<IpAddress> from, Deadline deadline) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at) override;
  Result<std::unique_ptr<Datagram>> open_datagram(const Endpoint& local) override;

  // Closes every connection that was opened here: what waits for them ends with Errc::closed.
  void close_opened();

 private:
  Network& inner_;
  WireLog& log_;
  const std::string node_;
  std::map<ConnectionId, Stream*> opened_;
};

}  // namespace postproof::sim
