#include "tests/sim/world/fixture.h"

namespace postproof::sim {

namespace {

// Echoes what it is sent, to the end, with each connection on its own.
Node::Program echo_server(std::string at) {
  return [at](Env& env) -> Task<void> {
    TaskGroup group(env.executor);
    auto listener = env.network.listen(endpoint(at));
    REQUIRE(listener);
    const auto serve = [&env](std::unique_ptr<Stream> stream) -> Task<void> {
      char buffer[1000];
      for (;;) {
        const auto size = co_await stream->read_some(buffer, kNever);
        if (!size || *size == 0) break;
        const std::string_view octets(buffer, *size);
        const auto sent = co_await stream->write_all(octets, kNever);
        if (!sent) break;
      }
    };
    for (;;) {
      auto stream = co_await (*listener)->accept();
      if (!stream) break;
      group.spawn(serve(std::move(*stream)));
    }
    co_await group.join();
  };
}

// Dials, then says "ping" each second from 1 s on and notes when its echo comes; ends at the first error.
Node::Program pinger(Diary& diary, std::string to, int pings) {
  return [&diary, to, pings](Env& env) -> Task<void> {
    auto stream = co_await env.network.connect(endpoint(to), std::nullopt, MonoTime(30s));
    diary.note("connect " + outcome(stream));
    if (!stream) co_return;
    for (int i = 1; i <= pings; ++i) {
      co_await sleep_until(env, MonoTime(std::chrono::seconds(i)));
      const auto sent = co_await (*stream)->write_all("ping", kNever);
      if (!sent) {
        diary.note("write " + outcome(sent));
        co_return;
      }
      char buffer[100];
      const auto size = co_await (*stream)->read_some(buffer, kNever);
      diary.note(size ? "echo" : outcome(size));
      if (!size) co_return;
    }
  };
}

}  // namespace

TEST_CASE("faults of a host, as a dial meets them") {
  struct Case {
    HostFault fault;
    std::string_view wanted;
  };
  const Case cases[] = {
      {HostFault::none, "2ms connect ok\n1.002s echo\n"},
      {HostFault::refuse, "2ms connect connection refused\n"},
      {HostFault::unreachable, "2ms connect unreachable\n"},
      {HostFault::blackhole, "30s connect timed out\n"},
      {HostFault::silent, "2ms connect ok\n"},
  };
  for (const Case& it : cases) {
    CAPTURE(it.wanted);
    Fixture f;
    Diary diary(f.world);
    f.world.network().set_fault("b", it.fault);
    f.b.start(echo_server("10.0.0.2:25"));
    f.a.start(pinger(diary, "10.0.0.2:25", 1));
    CHECK(f.run() == World::Stopped::idle);
    CHECK(diary.text == it.wanted);
  }
}

TEST_CASE("a fault may be narrowed to a port and to an address; the strongest that applies counts") {
  Fixture f;
  SimNetwork& network = f.world.network();
  network.set_fault("b", HostFault::refuse, 26);
  network.set_fault("b", HostFault::unreachable, std::nullopt, ip("10.0.0.22"));
  network.set_fault("b", HostFault::refuse, 25, ip("10.0.0.22"));
  Diary diary(f.world);
  f.b.start([&](Env& env) -> Task<void> {
    auto one = env.network.listen(endpoint("0.0.0.0:25"));
    auto two = env.network.listen(endpoint("0.0.0.0:26"));
    co_await sleep_until(env, MonoTime(1s));
  });
  f.a.start([&](Env& env) -> Task<void> {
    for (const std::string_view to : {"10.0.0.2:25", "10.0.0.2:26", "10.0.0.22:25", "10.0.0.22:26"}) {
      const auto stream = co_await env.network.connect(endpoint(to), std::nullopt, kNever);
      diary.note(outcome(stream));
    }
    network.set_fault("b", HostFault::none, std::nullopt, ip("10.0.0.22"));
    const auto still = co_await env.network.connect(endpoint("10.0.0.22:25"), std::nullopt, kNever);
    diary.note(outcome(still));
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "2ms ok\n4ms connection refused\n6ms unreachable\n8ms unreachable\n10ms connection refused\n");
}

TEST_CASE("what stands when a fault begins: refuse leaves it alone, the others hold it and let it go on") {
  struct Case {
    HostFault fault;
    std::string_view wanted;
  };
  const std::string_view held = "2ms connect ok\n1.002s echo\n3.502s echo\n3.504s echo\n";
  const std::string_view not_held = "2ms connect ok\n1.002s echo\n2.002s echo\n3.002s echo\n";
  for (const Case& it : {Case{HostFault::refuse, not_held},
                         {HostFault::silent, not_held},
                         {HostFault::unreachable, held},
                         {HostFault::blackhole, held}}) {
    CAPTURE(static_cast<int>(it.fault));
    Fixture f;
    Diary diary(f.world);
    f.b.start(echo_server("10.0.0.2:25"));
    f.a.start(pinger(diary, "10.0.0.2:25", 3));
    f.world.at(1500ms, [&] { f.world.network().set_fault("b", it.fault); });
    f.world.at(3500ms, [&] { f.world.network().set_fault("b", HostFault::none); });
    CHECK(f.run() == World::Stopped::idle);
    CHECK(diary.text == it.wanted);
  }
}

TEST_CASE("octets that are held have no arrival until they are let go") {
  Fixture f;
  Diary diary(f.world);
  f.b.start(echo_server("10.0.0.2:25"));
  f.a.start(pinger(diary, "10.0.0.2:25", 1));
  // The ping of 1 s is under way when the network parts.
  f.world.at(1s + 500us, [&] { f.world.network().partition("b", "a", true); });
  const auto ping = [&] { return f.records<record::Octets>().at(0).second; };
  f.world.at(2s, [&] {
    CHECK_FALSE(ping().arrives);
    CHECK(f.world.describe_pending().find("held") != std::string::npos);
  });
  f.world.at(3s, [&] {
    f.world.network().partition("a", "b", false);
    CHECK(ping().arrives == 3001ms);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "2ms connect ok\n3.002s echo\n");
}

TEST_CASE("a dial through a black hole that heals in time gets through; a partition has no third party") {
  Fixture f;
  Diary to_b(f.world), to_c(f.world);
  f.b.start(echo_server("10.0.0.2:25"));
  f.c.start(echo_server("10.0.0.3:25"));
  f.world.network().partition("a", "b", true);
  f.a.start([&](Env& env) -> Task<void> {
    TaskGroup group(env.executor);
    const auto b = pinger(to_b, "10.0.0.2:25", 1);
    const auto c = pinger(to_c, "10.0.0.3:25", 1);
    group.spawn(b(env));
    group.spawn(c(env));
    co_await group.join();
  });
  f.world.at(10s, [&] { f.world.network().partition("a", "b", false); });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(to_b.text == "10.002s connect ok\n10.004s echo\n");
  CHECK(to_c.text == "2ms connect ok\n1.002s echo\n");
}

TEST_CASE("held long enough, a dial times out, and nothing of it is left") {
  Fixture f;
  Diary diary(f.world);
  f.b.start(echo_server("10.0.0.2:25"));
  f.a.start(pinger(diary, "10.0.0.2:25", 1));
  // The SYN arrives, its answer does not.
  f.world.at(1500us, [&] { f.world.network().partition("a", "b", true); });
  f.world.at(40s, [&] { f.world.network().partition("a", "b", false); });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "30s connect timed out\n");
  CHECK(f.world.network().open_connections() == 0);
  const auto refused = f.records<record::Refused>();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].second.reason == "timed out");
  CHECK(f.records<record::Established>().empty());
}

TEST_CASE("a cut of what stands resets both ends, and nothing else") {
  Fixture f;
  Diary diary(f.world);
  f.b.start(echo_server("10.0.0.2:25"));
  f.a.start(pinger(diary, "10.0.0.2:25", 3));
  f.c.start(pinger(diary, "10.0.0.2:25", 0));
  f.world.at(1500ms, [&] {
    CHECK(f.world.network().open_connections("a") == 1);
    f.world.network().ask([](const Crossing& crossing) -> std::optional<CutBehind> {
      if (crossing.sender() != "a") return std::nullopt;
      return CutBehind{0, Cut::reset};
    });
  });
  f.world.at(1502ms, [&] { CHECK(f.world.network().open_connections("a") == 0); });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "2ms connect ok\n2ms connect ok\n1.002s echo\n2s write connection reset\n");
  CHECK(f.records<record::Reset>().size() == 2);
}

TEST_CASE("a silent host takes octets up to its window, and no program sees the connection") {
  Fixture f;
  f.world.network().set_fault("b", HostFault::silent);
  f.b.start(echo_server("10.0.0.2:25"));
  std::string results;
  f.a.start([&](Env& env) -> Task<void> {
    auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    REQUIRE(stream);
    const std::string window(64 * 1024, 'x');
    const auto first = co_await (*stream)->write_all(window, kNever);
    const auto second = co_await (*stream)->write_all("y", MonoTime(5min));
    results = outcome(first) + ", " + outcome(second);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(results == "ok, timed out");
  CHECK(f.world.network().open_connections() == 0);
}

TEST_CASE("latencies are of pairs of hosts; octets do not overtake each other when one becomes shorter") {
  Fixture f;
  Diary diary(f.world);
  f.world.network().set_latency("b", "a", 100ms);
  f.b.start([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("10.0.0.2:25"));
    REQUIRE(listener);
    auto stream = co_await (*listener)->accept();
    REQUIRE(stream);
    char buffer[100];
    for (;;) {
      const auto size = co_await (*stream)->read_some(buffer, kNever);
      REQUIRE(size);
      if (*size == 0) break;
      diary.note(std::string(buffer, *size));
    }
  });
  f.a.start([&](Env& env) -> Task<void> {
    auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    REQUIRE(stream);
    diary.note("connected");
    const auto first = co_await (*stream)->write_all("one", kNever);
    CHECK(first);
    f.world.network().set_latency("a", "b", 10ms);
    const auto second = co_await (*stream)->write_all("two", kNever);
    CHECK(second);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "200ms connected\n300ms one\n300ms two\n");
}

TEST_CASE("datagrams through a fault are lost") {
  struct Case {
    HostFault fault;
    std::optional<std::uint16_t> port;
    bool lost;
  };
  const Case cases[] = {
      {HostFault::none, {}, false},       {HostFault::refuse, {}, false},   {HostFault::blackhole, {}, true},
      {HostFault::unreachable, {}, true}, {HostFault::blackhole, 53, true}, {HostFault::blackhole, 25, false},
  };
  for (const Case& it : cases) {
    Fixture f;
    f.world.network().set_fault("b", it.fault, it.port);
    auto socket = f.b.env().network.open_datagram(endpoint("10.0.0.2:53"));
    REQUIRE(socket);
    f.a.start([&](Env& env) -> Task<void> {
      auto client = env.network.open_datagram(endpoint("0.0.0.0:0"));
      REQUIRE(client);
      const auto sent = co_await (*client)->send_to("x", endpoint("10.0.0.2:53"), kNever);
      CHECK(sent);
    });
    CHECK(f.run() == World::Stopped::idle);
    CHECK(f.records<record::Datagram>().at(0).second.lost == it.lost);
  }
}

}  // namespace postproof::sim
