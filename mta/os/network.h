// The network as the operating system gives it.
#pragma once

#include "mta/env/network.h"
#include "mta/os/core.h"

namespace postproof::os {

class OsNetwork final : public Network {
 public:
  explicit OsNetwork(Core& core) : core_(core) {}

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to, std::optional<IpAddress> from, Deadline deadline) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at) override;
  Result<std::unique_ptr<Datagram>> open_datagram(const Endpoint& local) override;

 private:
  Core& core_;
};

}  // namespace postproof::os
