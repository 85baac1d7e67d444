#include "mta/auth/failures.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace postproof::auth {

namespace {

// None: not over IP, and nobody to hold it against.
std::optional<IpAddress> key_of(const Endpoint& client) {
  if (client.kind() != Endpoint::Kind::ip) return std::nullopt;
  if (client.address().is_v4()) return client.address();
  constexpr std::size_t kNetwork = 8;
  std::array<std::uint8_t, 16> octets{};
  const std::string_view all = client.address().octets();
  std::copy_n(all.begin(), kNetwork, octets.begin());
  return IpAddress::v6(octets);
}

}  // namespace

unsigned Failures::note(const Endpoint& client, MonoTime now) {
  const auto key = key_of(client);
  if (!key) return 1;
  if (clients_.size() >= kClientsMax && !clients_.contains(*key)) {
    clients_.erase(std::min_element(clients_.begin(), clients_.end(),
                                    [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
  }
  Entry& entry = clients_[*key];
  if (now - entry.last > kMemory) entry.count = 0;
  entry.last = now;
  return ++entry.count;
}

unsigned Failures::count(const Endpoint& client, MonoTime now) const {
  const auto key = key_of(client);
  const auto at = key ? clients_.find(*key) : clients_.end();
  return at == clients_.end() || now - at->second.last > kMemory ? 0 : at->second.count;
}

}  // namespace postproof::auth
