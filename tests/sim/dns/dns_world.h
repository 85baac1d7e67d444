// A small simulated internet for tests of what asks DNS: the node "mta" that asks, and servers that answer.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/env/task_group.h"
#include "sim/dns/dns_server.h"
#include "sim/world/node.h"
#include "sim/world/sim_network.h"
#include "sim/world/world.h"

namespace postproof::sim::test {

inline IpAddress ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  REQUIRE(address.has_value());
  return *address;
}

inline ZoneData zone(std::string_view text) {
  ZoneData zones;
  const Result<void> added = zones.add_text(text);
  REQUIRE_MESSAGE(added.has_value(), (added ? std::string() : added.error().what));
  return zones;
}

class DnsWorld {
 public:
  explicit DnsWorld(std::uint64_t seed = 1)
      : world(settings(seed), recording), mta(world.add_node("mta", {ip("192.0.2.25"), ip("2001:db8::25")})) {}

  // A server at the address; it runs to the end.
  DnsServer& serve(const char* node_name, std::string_view address, ZoneData zones,
                   std::vector<std::string> secure = {}, std::vector<DnsFault> faults = {}) {
    Node& node = world.add_node(node_name, {ip(address)});
    servers_.push_back(
        std::make_unique<DnsServer>(node.env(), std::move(zones), std::move(secure), world.recorder(), node_name));
    DnsServer& server = *servers_.back();
    for (DnsFault& fault : faults) server.add_fault(std::move(fault));
    const Endpoint at(ip(address), 53);
    node.start([&server, at](Env&) -> Task<void> {
      const Result<void> served = co_await server.run(at);
      CHECK(served.has_value());
    });
    return server;
  }

  // A server of the test's own on UDP: datagrams to send back to each that comes, all at once.
  using Answerer = std::function<std::vector<std::string>(const std::string& question)>;
  void serve_by_hand(const char* node_name, std::string_view address, Answerer answerer) {
    Node& node = world.add_node(node_name, {ip(address)});
    answerers_.push_back(std::make_unique<Answerer>(std::move(answerer)));
    Answerer& answer = *answerers_.back();
    const Endpoint at(ip(address), 53);
    node.start([&answer, at](Env& env) -> Task<void> {
      Result<std::unique_ptr<Datagram>> socket = env.network.open_datagram(at);
      REQUIRE(socket.has_value());
      std::string buffer(4096, '\0');
      for (;;) {
        const Result<Datagram::Received> received = co_await (*socket)->receive(buffer, kNever);
        if (!received) co_return;
        const std::vector<std::string> answers = answer(buffer.substr(0, received->size));
        for (const std::string& octets : answers) {
          const Result<void> sent = co_await (*socket)->send_to(octets, received->from, kNever);
          if (!sent) co_return;
        }
      }
    });
  }

  // Runs the asker's program until it ends.
  void run(Node::Program program, Duration limit = 1h) {
    mta.start(std::move(program));
    const World::Stopped stopped = world.run(world.now() + limit, [this] { return !mta.running(); });
    CHECK(stopped == World::Stopped::finished);
  }

  // What the servers were asked: "dns1 MX dest.example udp: noerror: MX 10 mx1.dest.example".
  std::vector<std::string> asked() const {
    std::vector<std::string> all;
    for (const Record& record : recording.records) {
      const auto* dns = std::get_if<record::Dns>(&record.what);
      if (dns != nullptr)
        all.push_back(dns->server + " " + dns->type + " " + dns->name + " " + dns->transport + ": " + dns->answer);
    }
    return all;
  }

  // The MTA's events of one name, their fields joined.
  std::vector<std::string> events(std::string_view name) const {
    std::vector<std::string> all;
    for (const Record& record : recording.records) {
      const auto* event = std::get_if<record::MtaEvent>(&record.what);
      if (event == nullptr || event->name != name) continue;
      std::string text;
      for (const auto& [key, value] : event->fields) text += (text.empty() ? "" : " ") + value;
      all.push_back(std::move(text));
    }
    return all;
  }

  Recording recording;

 private:
  static WorldSettings settings(std::uint64_t seed) {
    WorldSettings all;
    all.seed = seed;
    return all;
  }

  std::vector<std::unique_ptr<DnsServer>> servers_;
  std::vector<std::unique_ptr<Answerer>> answerers_;

 public:
  World world;  // after what its nodes refer to: they are gone first
  Node& mta;
};

}  // namespace postproof::sim::test
