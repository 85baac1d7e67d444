#include "sim/serve/place.h"

#include <doctest/doctest.h>

#include "tests/sim/serve/scene.h"

namespace postproof::sim {

namespace {

constexpr const char* kText = R"(
title = "test"
[mta.sut]
[peer.mx]
names = ["dest.example"]
addresses = ["v4", "v6"]
port = 26
[client.raw]
to = "sut"
script = "> QUIT"
)";

std::vector<std::string> complaints(const std::string& text, const Placement& placement) {
  std::vector<std::string> list;
  const auto placed = place(load(text), placement);
  if (!placed) {
    for (const Problem& problem : placed.error()) list.push_back(problem.to_string());
  }
  return list;
}

}  // namespace

TEST_CASE("hosts keep their own addresses, and an MTA listens at port 25 of its own") {
  const auto placed = place(load(kText), {});
  REQUIRE(placed);
  CHECK(placed->resolver.to_string() == "10.0.0.53:53");
  CHECK(placed->submit_host.to_string() == "10.0.0.25");
  CHECK(placed->scenario.mtas[0].config.listen == std::vector{*Endpoint::parse("10.0.1.1:25")});
  CHECK(placed->scenario.peers[0].addresses.size() == 2);
  CHECK(placed->scenario.peers[0].port == 26);
}

TEST_CASE("on loopback, with other ports, and the MTA where its operator says") {
  Placement placement;
  placement.loopback = true;
  placement.port_offset = 2500;
  placement.mtas["sut"] = *Endpoint::parse("127.0.0.1:5025");
  const auto placed = place(load(kText), placement);
  REQUIRE(placed);
  CHECK(placed->resolver.to_string() == "127.0.0.53:2553");
  CHECK(placed->submit_host.to_string() == "127.0.0.25");
  CHECK(placed->scenario.mtas[0].addresses == std::vector{*IpAddress::parse("127.0.0.1")});
  CHECK(placed->scenario.peers[0].addresses == std::vector{*IpAddress::parse("127.0.2.1")});
  CHECK(placed->scenario.peers[0].port == 2526);
  CHECK(placed->scenario.clients[0].port == 5025);

  placement.mtas.clear();
  const auto own = place(load(kText), placement);
  REQUIRE(own);
  CHECK(own->scenario.mtas[0].config.listen == std::vector{*Endpoint::parse("127.0.1.1:2525")});
}

TEST_CASE("what cannot be played on real sockets is told before anything starts") {
  const auto faults = complaints(std::string(kText) + R"([link.default]
latency = "5ms"
[[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx" }
[[at]]
t = "0s"
fault = { kind = "dns.servfail", name = "x.example" }
[[at]]
t = "0s"
fault = { kind = "process.crash", host = "sut" }
)", {});
  REQUIRE(faults.size() == 3);
  CHECK(faults[0].starts_with("test.toml:11:1: link: only a simulated world"));
  CHECK(faults[1].starts_with("test.toml:15:1: fault tcp.refuse: only a simulated world"));
  CHECK(faults[2].starts_with("test.toml:21:1: fault process.crash: only a simulated world"));

  Placement placement;
  placement.mtas["other"] = *Endpoint::parse("127.0.0.1:25");
  CHECK(complaints(kText, placement) == std::vector<std::string>{"test.toml: no [mta.other] is in it; it has sut"});

  placement = {};
  placement.port_offset = 65'515;
  CHECK(complaints(kText, placement).size() == 3);

  placement = {};
  placement.loopback = true;
  const std::string only_v6 = "title = \"t\"\n[peer.mx]\naddresses = \"v6\"\n";
  CHECK(complaints(only_v6, placement) ==
        std::vector<std::string>{"test.toml:2:1: mx has no IPv4 address to be placed on loopback"});
  const std::string twins = "title = \"t\"\n[peer.a]\naddresses = \"10.9.9.9\"\n[peer.b]\naddresses = \"192.9.9.9\"\n";
  CHECK(complaints(twins, placement).size() == 1);
}

}  // namespace postproof::sim
