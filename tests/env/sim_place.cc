// The conformance suite's world in virtual time: two nodes of a simulated internet.
#include "sim/recording/recorder.h"
#include "sim/world/node.h"
#include "sim/world/sim_network.h"
#include "sim/world/world.h"
#include "tests/env/place.h"

namespace postproof::test {

namespace {

constexpr Duration kLimit = 1h;  // virtual

class SimPlace final : public Place {
 public:
  SimPlace()
      : world_(sim::WorldSettings{}, recording_),
        near_(world_.add_node("near", {ip("192.0.2.1"), ip("2001:db8::1"), ip("192.0.2.11")})),
        far_(world_.add_node("far", {ip("192.0.2.2"), ip("2001:db8::2")})) {}

  void run(Program near, Program far) override {
    far_.start(std::move(far));
    near_.start(std::move(near));
    const auto stopped = world_.run(kLimit, [this] { return !near_.running() && !far_.running(); });
    CHECK_MESSAGE(stopped == sim::World::Stopped::finished, "the case is stuck");
  }

  std::vector<Transport> transports() const override { return {Transport::ip4, Transport::ip6}; }

  Endpoint far_endpoint(Transport transport) override { return Endpoint(far_address(transport), 0); }
  Endpoint unlistened(Transport transport) override { return Endpoint(far_address(transport), 2525); }
  Endpoint unreachable() override {
    world_.network().set_fault("far", sim::HostFault::unreachable, std::uint16_t{2526});
    return Endpoint(ip("192.0.2.2"), 2526);
  }
  Endpoint silent() override {
    world_.network().set_fault("far", sim::HostFault::blackhole, std::uint16_t{2527});
    return Endpoint(ip("192.0.2.2"), 2527);
  }
  Endpoint foreign() override { return Endpoint(ip("192.0.2.2"), 0); }
  IpAddress near_address() override { return ip("192.0.2.1"); }
  IpAddress second_near_address() override { return ip("192.0.2.11"); }
  std::string folder() override { return "/case"; }

 private:
  static IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
  static IpAddress far_address(Transport transport) {
    return ip(transport == Transport::ip6 ? "2001:db8::2" : "192.0.2.2");
  }

  sim::Recording recording_;
  sim::World world_;
  sim::Node& near_;
  sim::Node& far_;
};

}  // namespace

std::unique_ptr<Place> make_place() { return std::make_unique<SimPlace>(); }

}  // namespace postproof::test
