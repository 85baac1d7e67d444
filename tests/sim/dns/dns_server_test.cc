#include "sim/dns/dns_server.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "tests/sim/dns/dns_world.h"

using namespace postproof;
using namespace postproof::sim;
using namespace postproof::sim::test;

namespace {

constexpr const char* kZone = "dest.example. MX 10 mx1.dest.example.\n";

// "dest.example MX IN" with an id.
std::string question(unsigned char id) {
  return std::string("\0", 1) + static_cast<char>(id) +
         std::string("\1\0\0\1\0\0\0\0\0\0\4dest\7example\0\0\17\0\1", 28);
}
std::string framed(const std::string& message) {
  return std::string{static_cast<char>(message.size() >> 8), static_cast<char>(message.size() & 0xff)} + message;
}

Endpoint server_endpoint() { return Endpoint(ip("192.0.2.53"), 53); }

Task<std::string> read_octets(Stream& stream, std::size_t size) {
  std::string all(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const Result<std::size_t> got = co_await stream.read_some(std::span(all).subspan(have), kNever);
    if (!got || *got == 0) co_return all.substr(0, have);
    have += *got;
  }
  co_return all;
}

Task<std::string> read_answer(Stream& stream) {
  const std::string length = co_await read_octets(stream, 2);
  if (length.size() < 2) co_return std::string();
  const auto size =
      static_cast<std::size_t>(static_cast<unsigned char>(length[0]) << 8 | static_cast<unsigned char>(length[1]));
  co_return co_await read_octets(stream, size);
}

}  // namespace

TEST_CASE("many questions over one TCP connection, in pieces and in a row (RFC 7766)") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone));
  world.run([&](Env& env) -> Task<void> {
    Result<std::unique_ptr<Stream>> stream = co_await env.network.connect(server_endpoint(), std::nullopt, kNever);
    REQUIRE(stream.has_value());
    const std::string all = framed(question(1)) + framed(question(2)) + framed(question(3));
    for (const std::string& piece : {all.substr(0, 1), all.substr(1, 7), all.substr(8)}) {
      const Result<void> sent = co_await (*stream)->write_all(piece, kNever);
      CHECK(sent.has_value());
    }
    for (const int id : {1, 2, 3}) {
      const std::string answer = co_await read_answer(**stream);
      REQUIRE(answer.size() > 12);
      CHECK(answer[1] == id);
    }
    (*stream)->close();
  });
  CHECK(world.asked() == std::vector<std::string>(3, "dns1 MX dest.example tcp: noerror: MX 10 mx1.dest.example"));
}

TEST_CASE("an idle TCP connection is closed") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone));
  world.run([&](Env& env) -> Task<void> {
    Result<std::unique_ptr<Stream>> stream = co_await env.network.connect(server_endpoint(), std::nullopt, kNever);
    REQUIRE(stream.has_value());
    const std::string nothing = co_await read_octets(**stream, 1);
    CHECK(nothing.empty());
    CHECK(env.clock.mono().time_since_epoch() >= 10s);
  });
}

TEST_CASE("tcp-refuse for all names: nobody listens while it lasts") {
  DnsWorld world;
  DnsServer& server = world.serve("dns1", "192.0.2.53", zone(kZone));
  world.run([&](Env& env) -> Task<void> {
    const auto connects = [&]() -> Task<std::string> {
      Result<std::unique_ptr<Stream>> stream =
          co_await env.network.connect(server_endpoint(), std::nullopt, env.clock.mono() + 1s);
      co_return std::string(stream ? std::string_view("ok") : to_string(stream.error().code));
    };
    std::string result = co_await connects();
    CHECK(result == "ok");
    const auto fault = server.add_fault(DnsFault{DnsFaultKind::tcp_refuse, "*", 7});
    result = co_await connects();
    CHECK(result == to_string(Errc::refused));
    server.remove_fault(fault);
    result = co_await connects();
    CHECK(result == "ok");
  });
}

TEST_CASE("a fault that strikes is recorded with its line, and who asked with its node") {
  Recording recording;
  World world({}, recording);
  Node& dns = world.add_node("dns1", {ip("192.0.2.53")});
  Node& asker = world.add_node("asker", {ip("192.0.2.1")});
  DnsServer server(dns.env(), zone(kZone), {}, world.recorder(), "dns1", [&](const IpAddress& address) {
    const Node* node = world.find_node(address);
    return node == nullptr ? std::string() : node->name();
  });
  server.add_fault(DnsFault{DnsFaultKind::servfail, "example", 42});
  bool stopped = false;
  dns.start([&](Env&) -> Task<void> {
    const Result<void> served = co_await server.run(server_endpoint());
    CHECK(served.has_value());
    stopped = true;
  });
  asker.start([&](Env& env) -> Task<void> {
    auto socket = env.network.open_datagram(Endpoint(ip("192.0.2.1"), 0));
    REQUIRE(socket.has_value());
    const std::string asked = question(9);
    const Result<void> sent = co_await (*socket)->send_to(asked, server_endpoint(), kNever);
    CHECK(sent.has_value());
    std::array<char, 512> buffer;
    const Result<Datagram::Received> received = co_await (*socket)->receive(buffer, kNever);
    REQUIRE(received.has_value());
    CHECK((buffer[3] & 0x0f) == 2);
    server.stop();
  });
  CHECK(world.run(1min, [&] { return stopped; }) == World::Stopped::finished);

  int faults = 0;
  int questions = 0;
  for (const Record& record : recording.records) {
    if (const auto* fault = std::get_if<record::Fault>(&record.what)) {
      ++faults;
      CHECK(fault->kind == "dns.servfail");
      CHECK(fault->line == 42);
    }
    if (const auto* asked = std::get_if<record::Dns>(&record.what)) {
      ++questions;
      CHECK(asked->server == "dns1");
      CHECK(asked->client == "asker");
      CHECK(asked->transport == "udp");
      CHECK(asked->answer == "servfail");
    }
  }
  CHECK(faults == 1);
  CHECK(questions == 1);
}

TEST_CASE("a port that is taken is an error") {
  DnsWorld world;
  DnsServer& first = world.serve("dns1", "192.0.2.53", zone(kZone));
  (void)first;
  world.run([&](Env& env) -> Task<void> {
    auto taken = env.network.open_datagram(Endpoint(ip("192.0.2.25"), 53));
    REQUIRE(taken.has_value());
    DnsServer second(env, zone(kZone), {}, world.world.recorder());
    const Result<void> served = co_await second.run(Endpoint(ip("192.0.2.25"), 53));
    REQUIRE_FALSE(served.has_value());
    CHECK(served.error().code == Errc::in_use);
  });
}
