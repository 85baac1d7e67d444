// What only real sockets have: octets that must not be lost by a close, and connections to oneself.
#include "mta/os/stream.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <thread>

#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "mta/os/loop.h"
#include "tests/mta/os/no_events.h"

namespace postproof::os {
namespace {

const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");

TEST_CASE("close: a peer that never ends is given up after the time to linger") {
  NoEvents events;
  Workers workers(1);
  Loop loop(events, workers);
  Env& env = loop.env();
  const auto talk = [&]() -> Task<void> {
    auto listener = env.network.listen(Endpoint(kLoopback, 0));
    REQUIRE(listener.has_value());
    auto near = co_await env.network.connect((*listener)->local(), std::nullopt, kNever);
    auto far = co_await (*listener)->accept();
    REQUIRE((near.has_value() && far.has_value()));
    const MonoTime closed = env.clock.mono();
    (*far)->close();
    // The far end drains what comes, and then cuts.
    Result<void> sent;
    while (sent) {
      sent = co_await (*near)->write_all("more\r\n", env.clock.mono() + 5s);
      co_await sleep_until(env, env.clock.mono() + 10ms);
    }
    CHECK(sent.error().code == Errc::reset);
    CHECK(env.clock.mono() >= closed + kLinger - 10ms);
    CHECK(env.clock.mono() < closed + kLinger + 1s);
  };
  loop.run(talk());
}

TEST_CASE("close: the descriptor goes as soon as the peer has ended too") {
  NoEvents events;
  Workers workers(1);
  Loop loop(events, workers);
  Env& env = loop.env();
  const auto talk = [&]() -> Task<void> {
    auto listener = env.network.listen(Endpoint(kLoopback, 0));
    REQUIRE(listener.has_value());
    const int before = dup(0);
    ::close(before);
    for (int i = 0; i < 200; ++i) {
      auto near = co_await env.network.connect((*listener)->local(), std::nullopt, kNever);
      auto far = co_await (*listener)->accept();
      REQUIRE((near.has_value() && far.has_value()));
      (*far)->close();
      (*near)->close();
      co_await sleep_until(env, env.clock.mono() + 1ms);
    }
    const int after = dup(0);
    ::close(after);
    CHECK(after < before + 20);
  };
  loop.run(talk());
}

TEST_CASE("stop: a loop does not wait for peers longer than it must") {
  NoEvents events;
  Workers workers(1);
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  REQUIRE(bind(listening, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::listen(listening, 4) == 0);
  REQUIRE(getsockname(listening, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  MonoTime before;
  {
    Loop loop(events, workers);
    Env& env = loop.env();
    const auto talk = [&]() -> Task<void> {
      auto near = co_await env.network.connect(Endpoint(kLoopback, ntohs(at.sin_port)), std::nullopt, kNever);
      REQUIRE(near.has_value());
      const auto sent = co_await (*near)->write_all("421 closing\r\n", kNever);
      REQUIRE(sent.has_value());
      before = env.clock.mono();
    };
    loop.run(talk());
    CHECK(env.clock.mono() < before + kLingerAtStop + 1s);
  }
  const int accepted = ::accept(listening, nullptr, nullptr);
  char buffer[64];
  CHECK(read(accepted, buffer, sizeof buffer) == 13);
  ::close(accepted);
  ::close(listening);
}

TEST_CASE("connect: a socket that is connected to itself has found nobody") {
  NoEvents events;
  Workers workers(1);
  Loop loop(events, workers);
  Env& env = loop.env();
  const auto dial = [&]() -> Task<void> {
    // A port that the kernel draws for connections, and sooner or later draws again.
    auto listener = env.network.listen(Endpoint(kLoopback, 0));
    REQUIRE(listener.has_value());
    auto first = co_await env.network.connect((*listener)->local(), std::nullopt, kNever);
    REQUIRE(first.has_value());
    const Endpoint own = (*first)->local();
    (*first)->reset();
    int connected = 0;
    bool met = false;
    for (int i = 0; i < 100'000 && !met && connected == 0; ++i) {
      const auto stream = co_await env.network.connect(own, std::nullopt, kNever);
      if (stream) {
        ++connected;
      } else {
        CHECK(stream.error().code == Errc::refused);
        met = stream.error().what.find("to itself") != std::string::npos;
      }
    }
    CHECK(connected == 0);
    WARN(met);
  };
  loop.run(dial());
}

}  // namespace
}  // namespace postproof::os
