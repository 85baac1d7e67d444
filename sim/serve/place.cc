#include "sim/serve/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>
#include <variant>

namespace postproof::sim {

namespace {

constexpr std::uint16_t kSmtpPort = 25;
constexpr std::uint16_t kDnsPort = 53;

IpAddress on_loopback(const IpAddress& address) {
  std::array<std::uint8_t, 4> octets{};
  std::ranges::copy(address.octets(), octets.begin());
  octets[0] = 127;
  return IpAddress::v4(octets);
}

class Placer {
 public:
  Placer(const Scenario& scenario, const Placement& placement) : placement_(placement) { placed_.scenario = scenario; }

  std::expected<PlacedScenario, std::vector<Problem>> place() {
    refuse_what_needs_a_world();
    Scenario& scenario = placed_.scenario;
    placed_.resolver = Endpoint(shared(resolver_address()), shifted(kDnsPort, 0));
    placed_.submit_hosts = {shared(submit_address())};
    for (MtaPart& part : scenario.mtas) place_mta(part);
    place_submissions6();
    for (PeerPart& part : scenario.peers) {
      place_host(part);
      part.port = shifted(part.port, part.line);
    }
    for (ClientPart& part : scenario.clients) {
      place_host(part);
      place_target(part);
    }
    for (At& at : scenario.at) {
      if (auto* fault = std::get_if<Fault>(&at.what); fault != nullptr && fault->port) {
        fault->port = shifted(*fault->port, at.line);
      }
    }
    check_names();
    check_twins();
    std::ranges::stable_sort(problems_, {}, &Problem::position);
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    return std::move(placed_);
  }

 private:
  void complain(std::uint32_t line, std::string what) {
    problems_.push_back(Problem{placed_.scenario.file, {line, line == 0 ? 0u : 1u}, std::move(what)});
  }

  void refuse_what_needs_a_world() {
    for (const At& at : placed_.scenario.at) {
      const auto* fault = std::get_if<Fault>(&at.what);
      if (fault == nullptr || is_of_servers(*fault)) continue;
      complain(at.line, fmt::format("fault {}: only a simulated world can do this, {}; on real sockets there are dns.*, "
                                    "smtp.*, tls.* and tcp.refuse of a peer",
                                    fault->kind, why_simulated(fault->kind)));
    }
    for (const LinkPart& link : placed_.scenario.links) {
      complain(link.line, "link: only a simulated world has links; on real sockets they are what they are");
    }
  }

  // Whether the resolver or a peer does it by itself.
  bool is_of_servers(const Fault& fault) const {
    const std::string_view layer = std::string_view(fault.kind).substr(0, fault.kind.find('.'));
    if (layer == "dns" || layer == "smtp" || layer == "tls") return true;
    const auto& peers = placed_.scenario.peers;
    return fault.kind == "tcp.refuse" && std::ranges::find(peers, fault.host, &PeerPart::name) != peers.end();
  }
  static std::string_view why_simulated(std::string_view kind) {
    if (kind == "tcp.refuse") return "whose hosts are all its own";
    if (kind.starts_with("tcp.")) return "which carries each octet itself";
    if (kind.starts_with("disk.")) return "which is the MTA's disk";
    if (kind.starts_with("clock.")) return "which is the MTA's clock";
    return "in which the MTA runs";
  }

  IpAddress shared(const IpAddress& address) const { return placement_.loopback ? on_loopback(address) : address; }

  std::uint16_t shifted(std::uint16_t port, std::uint32_t line) {
    const unsigned sum = unsigned{port} + placement_.port_offset;
    if (sum <= std::numeric_limits<std::uint16_t>::max()) return static_cast<std::uint16_t>(sum);
    complain(line, fmt::format("port {} and the offset {} are more than 65535", port, placement_.port_offset));
    return port;
  }

  void place_host(HostPart& part) {
    if (!placement_.loopback) return;
    std::erase_if(part.addresses, [](const IpAddress& address) { return !address.is_v4(); });
    for (IpAddress& address : part.addresses) address = on_loopback(address);
    if (part.addresses.empty()) complain(part.line, fmt::format("{} has no IPv4 address to be placed on loopback", part.name));
  }

  void place_mta(MtaPart& part) {
    if (const auto given = placement_.mtas.find(part.name); given != placement_.mtas.end()) {
      part.addresses = {given->second.address()};
      part.config.listen = {given->second};
      return;
    }
    place_host(part);
    if (!part.addresses.empty()) part.config.listen = {Endpoint(part.addresses.front(), shifted(kSmtpPort, part.line))};
  }

  void place_submissions6() {
    const MtaPart* asks = nullptr;
    for (const MtaPart& part : placed_.scenario.mtas) {
      if (!part.config.listen.empty() && !part.config.listen.front().address().is_v4()) asks = &part;
    }
    if (asks == nullptr) return;
    if (placement_.loopback) {
      complain(asks->line, fmt::format("{} at {}: with --loopback hosts have IPv4 addresses alone", asks->name,
                                       asks->config.listen.front().to_string()));
    }
    placed_.submit_hosts.push_back(submit_address6());
  }

  void place_target(ClientPart& part) {
    const auto& mtas = placed_.scenario.mtas;
    const auto mta = std::ranges::find(mtas, part.to, &MtaPart::name);
    if (mta == mtas.end()) {
      if (std::ranges::find(placed_.scenario.peers, part.to, &PeerPart::name) != placed_.scenario.peers.end()) {
        part.port = shifted(part.port, part.line);
      }
      return;
    }
    if (!mta->config.listen.empty() && part.port == kSmtpPort) part.port = mta->config.listen.front().port();
  }

  void check_names() {
    for (const auto& [name, endpoint] : placement_.mtas) {
      const auto& mtas = placed_.scenario.mtas;
      if (std::ranges::find(mtas, name, &MtaPart::name) != mtas.end()) continue;
      complain(0, fmt::format("no [mta.{}] is in it; it has {}", name, mtas.empty() ? "none" : mtas.front().name));
    }
  }

  // Who talks is told by addresses.
  void check_twins() {
    std::set<IpAddress> taken(placed_.submit_hosts.begin(), placed_.submit_hosts.end());
    taken.insert(placed_.resolver.address());
    const auto take = [&](const HostPart& part) {
      for (const IpAddress& address : part.addresses) {
        if (taken.insert(address).second) continue;
        complain(part.line, fmt::format("{} would have the address {} of another host", part.name, address.to_string()));
      }
    };
    for (const PeerPart& part : placed_.scenario.peers) take(part);
    for (const ClientPart& part : placed_.scenario.clients) take(part);
    for (const MtaPart& part : placed_.scenario.mtas) take(part);
  }

  const Placement& placement_;
  PlacedScenario placed_;
  std::vector<Problem> problems_;
};

}  // namespace

bool may_speak_tls(const PeerPart& part) { return part.tls.offered || !part.script.empty(); }

std::expected<PlacedScenario, std::vector<Problem>> place(const Scenario& scenario, const Placement& placement) {
  return Placer(scenario, placement).place();
}

}  // namespace postproof::sim
