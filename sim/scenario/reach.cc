#include "sim/scenario/reach.h"

#include <algorithm>

namespace postproof::sim {

namespace {

constexpr std::uint16_t kSmtpPort = 25;

}  // namespace

std::optional<Endpoint> reach(const Scenario& scenario, const std::vector<IpAddress>& from, std::string_view to,
                              std::uint16_t port) {
  if (const auto endpoint = Endpoint::parse(to); endpoint && endpoint->kind() == Endpoint::Kind::ip) return endpoint;
  const auto in_common = [&](const HostPart& part) -> std::optional<Endpoint> {
    for (const IpAddress& address : part.addresses) {
      if (std::ranges::find(from, address.is_v4(), &IpAddress::is_v4) != from.end()) return Endpoint(address, port);
    }
    return std::nullopt;
  };
  for (const MtaPart& part : scenario.mtas) {
    if (part.name == to) return in_common(part);
  }
  for (const PeerPart& part : scenario.peers) {
    if (part.name == to) return in_common(part);
  }
  return std::nullopt;
}

std::uint16_t submission_port(const Config& config) {
  for (const Endpoint& endpoint : config.listen) {
    if (endpoint.kind() == Endpoint::Kind::ip) return endpoint.port();
  }
  return kSmtpPort;
}

IpAddress source_address(const std::vector<IpAddress>& addresses, const Endpoint& to) {
  const auto at = std::ranges::find(addresses, to.address().is_v4(), &IpAddress::is_v4);
  return at == addresses.end() ? addresses.front() : *at;
}

}  // namespace postproof::sim
