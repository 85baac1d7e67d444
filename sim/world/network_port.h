// The network as one life of a node sees it, and the table of its ports.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "mta/env/network.h"

namespace postproof::sim::world {

class Connection;
class DatagramState;
class Life;
class ListenerState;

class NetworkPort final : public Network {
 public:
  explicit NetworkPort(Life& life) : life_(life) {}

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to, std::optional<IpAddress> from, Deadline deadline) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at) override;
  Result<std::unique_ptr<Datagram>> open_datagram(const Endpoint& local) override;

  // Who takes what comes for this endpoint; none: nobody.
  std::shared_ptr<ListenerState> listener(const Endpoint& at) const;
  std::shared_ptr<DatagramState> datagram(const Endpoint& at) const;
  void forget(const ListenerState& listener);
  void forget(const DatagramState& socket);
  // The life has ended: closes everything.
  void close_all();

  // The local endpoint of what is sent to `to`: the address given if it is a definite one, else the
  // first of the node's of that family. Errors: unreachable, invalid (not an address of this node).
  Result<Endpoint> source(const Endpoint& to, std::optional<IpAddress> from, std::uint16_t port) const;

 private:
  bool is_local(const IpAddress& address) const;
  std::optional<std::uint16_t> free_port(const Endpoint& at);

  Life& life_;
  std::map<Endpoint, std::shared_ptr<ListenerState>> listeners_;
  std::map<Endpoint, std::shared_ptr<DatagramState>> datagrams_;
};

}  // namespace postproof::sim::world
