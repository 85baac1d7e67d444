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
  CHECK(placed->submit_hosts == std::vector{*IpAddress::parse("10.0.0.25")});
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
  CHECK(placed->submit_hosts == std::vector{*IpAddress::parse("127.0.0.25")});
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
fault = { kind = "tcp.refuse", host = "sut" }
[[at]]
t = "0s"
fault = { kind = "dns.servfail", name = "x.example" }
[[at]]
t = "0s"
fault = { kind = "process.crash", host = "sut" }
[[at]]
t = "0s"
fault = { kind = "tcp.blackhole", host = "mx" }
)", {});
  REQUIRE(faults.size() == 4);
  CHECK(faults[0].starts_with("test.toml:11:1: link: only a simulated world"));
  CHECK(faults[1].starts_with("test.toml:15:1: fault tcp.refuse: only a simulated world can do this, whose hosts are all its own; "));
  CHECK(faults[2].starts_with("test.toml:21:1: fault process.crash: only a simulated world can do this, in which the MTA runs; "));
  CHECK(faults[3].starts_with("test.toml:24:1: fault tcp.blackhole: only a simulated world can do this, which carries each octet itself; "));

  const std::string played = std::string(kText) + R"([[at]]
t = "0s"
fault = { kind = "tcp.refuse", host = "mx", port = 26 }
[[at]]
t = "0s"
fault = { kind = "smtp.delay", host = "mx", on = "RCPT", delay = "1s" }
[[at]]
t = "0s"
fault = { kind = "tls.expired", host = "mx" }
)";
  Placement shifted;
  shifted.port_offset = 2500;
  const auto placed = place(load(played), shifted);
  REQUIRE(placed);
  CHECK(std::get<Fault>(placed->scenario.at[0].what).port == 2526);

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
  placement.mtas["sut"] = *Endpoint::parse("[::1]:25");
  CHECK(complaints(kText, placement) ==
        std::vector<std::string>{"test.toml:3:1: sut at [::1]:25: with --loopback hosts have IPv4 addresses alone"});
  placement.mtas.clear();
  const std::string twins = "title = \"t\"\n[peer.a]\naddresses = \"10.9.9.9\"\n[peer.b]\naddresses = \"192.9.9.9\"\n";
  CHECK(complaints(twins, placement).size() == 1);
}

}  // namespace postproof::sim
