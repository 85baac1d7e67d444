#include "tests/sim/world/fixture.h"

namespace postproof::sim {

TEST_CASE("every pending call ends with closed, by an orderly unwinding, without effect") {
  Fixture f;
  Diary diary(f.world);
  f.b.start([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("10.0.0.2:25"));
    REQUIRE(listener);
    auto stream = co_await (*listener)->accept();
    REQUIRE(stream);
    const std::string got = co_await read_to_end(**stream);
    diary.note("peer got " + got);
  });
  std::size_t ended = 0;
  f.a.start([&](Env& env) -> Task<void> {
    auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    auto listener = env.network.listen(endpoint("10.0.0.1:25"));
    auto socket = env.network.open_datagram(endpoint("10.0.0.1:53"));
    auto file = co_await env.disk.open("/f", OpenMode::create_new);
    REQUIRE(stream);
    REQUIRE(listener);
    REQUIRE(socket);
    REQUIRE(file);
    const std::string much(100'000, 'x');
    TaskGroup group(env.executor);
    const auto note = [&](std::string_view what, const std::string& result) {
      ++ended;
      CHECK_MESSAGE(result == "closed", what);
    };
    const auto read = [&]() -> Task<void> {
      char buffer[10];
      const auto r = co_await (*stream)->read_some(buffer, kNever);
      note("read", outcome(r));
    };
    const auto write = [&]() -> Task<void> {
      const auto r = co_await (*stream)->write_all(much, kNever);
      note("write", outcome(r));
    };
    const auto connect = [&]() -> Task<void> {
      const auto r = co_await env.network.connect(endpoint("10.0.0.3:25"), std::nullopt, kNever);
      note("connect", outcome(r));
    };
    const auto accept = [&]() -> Task<void> {
      const auto r = co_await (*listener)->accept();
      note("accept", outcome(r));
    };
    const auto receive = [&]() -> Task<void> {
      char buffer[10];
      const auto r = co_await (*socket)->receive(buffer, kNever);
      note("receive", outcome(r));
    };
    const auto write_file = [&]() -> Task<void> {
      const auto r = co_await (*file)->write_at(0, "x");
      note("file write", outcome(r));
    };
    const auto sleep = [&]() -> Task<void> {
      const Woken woken = co_await sleep_until(env, MonoTime(1h));
      note("sleep", woken == Woken::closed ? "closed" : "woken");
    };
    co_await sleep_until(env, MonoTime(1s));
    group.spawn(read());
    group.spawn(write());
    group.spawn(connect());
    group.spawn(accept());
    group.spawn(receive());
    group.spawn(write_file());
    group.spawn(sleep());
    co_await group.join();
    // New calls of the same life.
    const auto after = co_await env.disk.list("/");
    note("list", outcome(after));
    const auto dialed = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    note("second connect", outcome(dialed));
    const auto listened = env.network.listen(endpoint("10.0.0.1:26"));
    note("listen", outcome(listened));
    const auto sent = co_await (*socket)->send_to("x", endpoint("10.0.0.2:53"), kNever);
    note("send", outcome(sent));
    env.events.emit(event::Service{"stopped", "nobody hears"});
    diary.note("unwound");
  });
  f.world.at(1s + 5us, [&] {
    f.a.crash();
    diary.note("crashed");
    CHECK_FALSE(f.a.running());
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(ended == 11);
  const std::string window(64 * 1024, 'x');
  CHECK(diary.text == "1.000005s unwound\n1.000005s crashed\n1.001005s peer got " + window + "<connection reset>\n");
  CHECK(f.world.network().open_connections() == 0);
  CHECK(f.records<record::MtaEvent>().empty());
  CHECK(f.records<record::DiskOperation>().size() == 1);  // the open
  CHECK(f.records<record::Dial>().size() == 2);
  const auto states = f.records<record::NodeState>();
  REQUIRE(states.size() == 4);
  CHECK(states[2].second.node == "a");
  CHECK(states[2].second.state == "crash");
  CHECK(states[3].second.node == "b");
  CHECK(states[3].second.state == "stop");
}

TEST_CASE("what was under way when a host crashed still arrives, and then the RST") {
  Fixture f;
  Diary diary(f.world);
  f.b.start([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("10.0.0.2:25"));
    REQUIRE(listener);
    auto stream = co_await (*listener)->accept();
    REQUIRE(stream);
    const auto sent = co_await (*stream)->write_all("250 ok", kNever);
    CHECK(sent);
    f.b.crash_soon();
    const auto no = co_await (*stream)->write_all("never", kNever);
    diary.note("b " + outcome(no));
  });
  f.a.start([&](Env& env) -> Task<void> {
    auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    REQUIRE(stream);
    const std::string got = co_await read_to_end(**stream);
    diary.note("a got " + got);
    const auto again = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    diary.note("a again " + outcome(again));
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "3ms b closed\n4ms a got 250 ok<connection reset>\n6ms a again connection refused\n");
  const auto octets = f.records<record::Octets>();
  REQUIRE(octets.size() == 1);
  CHECK(octets[0].second.arrives == 4ms);
}

TEST_CASE("octets towards a host that crashes before they arrive are recorded as lost") {
  Fixture f;
  f.b.start([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("10.0.0.2:25"));
    REQUIRE(listener);
    auto stream = co_await (*listener)->accept();
    REQUIRE(stream);
    co_await read_to_end(**stream);
  });
  f.a.start([&](Env& env) -> Task<void> {
    auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    REQUIRE(stream);
    co_await sleep_until(env, MonoTime(1s));
    const auto sent = co_await (*stream)->write_all("lost", kNever);
    CHECK(sent);
    const std::string got = co_await read_to_end(**stream);
    CHECK(got == "<connection reset>");
  });
  f.world.at(1s + 500us, [&] { f.b.crash(); });
  CHECK(f.run() == World::Stopped::idle);
  const auto octets = f.records<record::Octets>();
  REQUIRE(octets.size() == 1);
  CHECK_FALSE(octets[0].second.arrives);
}

TEST_CASE("a crash at each disk operation: the operation has no effect, those before it have theirs") {
  // Appends a digit with each operation, over crashes and restarts.
  const auto program = [](Env& env) -> Task<void> {
    auto file = co_await env.disk.open("/f", OpenMode::read_write);
    if (!file) co_return;
    for (std::uint64_t i = 0; i < 5; ++i) {
      const std::string digit(1, static_cast<char>('0' + i));
      const auto done = co_await (*file)->write_at(i, digit);
      if (!done) co_return;
    }
  };
  for (std::uint64_t n = 1; n <= 7; ++n) {
    CAPTURE(n);
    Fixture f;
    f.a.disk().put("/f", "");
    f.a.disk().set_crash_loss(CrashLoss::keep_all);
    f.a.disk().on_operation([&](std::uint64_t number, std::string_view operation, std::string_view path) {
      CHECK(operation == (number == 1 || number == n + 1 ? "open" : "write"));
      CHECK(path == "/f");
      if (number == n) f.a.crash_soon();
    });
    f.a.start(program);
    CHECK(f.run() == World::Stopped::idle);
    CHECK_FALSE(f.a.running());
    const std::string all = "01234";
    CHECK(f.a.disk().content("/f") == (n == 1 ? "" : all.substr(0, n - 2)));
    CHECK(f.a.disk().operations() == std::min<std::uint64_t>(n, 6));
    if (n == 7) continue;  // it never came
    CHECK(f.records<record::DiskOperation>().back().second.result == "closed");
    f.a.restart();
    CHECK(f.run() == World::Stopped::idle);
    CHECK(f.a.disk().content("/f") == all);
    CHECK(f.a.disk().operations() == n + 6);
  }
}

TEST_CASE("a crash at an event: what the program does after it has no effect any more") {
  Fixture f;
  f.a.disk().set_crash_loss(CrashLoss::keep_all);
  f.a.on_event([&](const Event& event) {
    if (event_name(event) == "accepted") f.a.crash_soon();
  });
  auto socket = f.b.env().network.open_datagram(endpoint("10.0.0.2:53"));
  f.a.start([&](Env& env) -> Task<void> {
    auto udp = env.network.open_datagram(endpoint("10.0.0.1:0"));
    REQUIRE(udp);
    env.events.emit(event::Accepted{1, "id", "", 1, 10, ""});
    env.events.emit(event::Service{"trouble", "not recorded"});
    const auto sent = co_await (*udp)->send_to("no", endpoint("10.0.0.2:53"), kNever);
    CHECK(outcome(sent) == "closed");
    const auto made = co_await env.disk.mkdir("/d");
    CHECK(outcome(made) == "closed");
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK_FALSE(f.a.running());
  CHECK(f.records<record::MtaEvent>().size() == 1);
  CHECK(f.records<record::Datagram>().empty());
  CHECK(f.a.disk().operations() == 0);
}

TEST_CASE("a restart is a new life over the same disk, with an Env and random streams of its own") {
  Fixture f;
  std::vector<std::uint64_t> draws;
  std::vector<std::string> files;
  const auto program = [&](Env& env) -> Task<void> {
    draws.push_back(env.entropy.stream("x")->next());
    auto names = co_await env.disk.list("/");
    REQUIRE(names);
    files.push_back(std::to_string(names->size()));
    auto file = co_await env.disk.open("/f" + std::to_string(names->size()), OpenMode::create_new);
    REQUIRE(file);
    const auto synced = co_await env.disk.sync_dir("/");
    REQUIRE(synced);
    auto lost = co_await env.disk.open("/lost", OpenMode::create_new);
    CHECK(lost);
    auto listener = env.network.listen(endpoint("10.0.0.1:25"));
    CHECK(listener);  // the port of the former life is free again
    co_await sleep_until(env, kNever);
  };
  f.a.start(program);
  Env* first = &f.a.env();
  f.world.at(1s, [&] { f.a.crash(); });
  f.world.at(2s, [&] { f.a.restart(); });
  f.world.at(3s, [&] {
    CHECK(f.a.running());
    CHECK(&f.a.env() != first);
    f.a.crash();
    f.a.restart();
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(files == std::vector<std::string>{"0", "1", "2"});
  REQUIRE(draws.size() == 3);
  CHECK(draws[0] != draws[1]);
  CHECK(f.world.running_programs() == 1);
  std::string states;
  for (const auto& [at, state] : f.records<record::NodeState>()) {
    states += format_duration(at) + " " + state.state + "\n";
  }
  CHECK(states == "0s start\n1s crash\n2s start\n3s crash\n3s start\n");
}

TEST_CASE("a program that stops in order may be started again, and its disk has lost nothing") {
  Fixture f;
  int runs = 0;
  f.a.start([&](Env& env) -> Task<void> {
    ++runs;
    auto file = co_await env.disk.open("/f", runs == 1 ? OpenMode::create_new : OpenMode::read);
    CHECK(file);
  });
  CHECK(f.run() == World::Stopped::idle);
  f.a.restart();
  CHECK(f.run() == World::Stopped::idle);
  CHECK(runs == 2);
}

TEST_CASE("a node that is driven from outside can crash and come back") {
  Fixture f;
  Env& env = f.b.env();
  std::string seen;
  {
    TaskGroup group(env.executor);
    const auto wait = [&]() -> Task<void> {
      const Woken woken = co_await sleep_until(env, kNever);
      seen += woken == Woken::closed ? "closed" : "woken";
    };
    group.spawn(wait());
    f.world.at(1s, [&] { f.b.crash(); });
    CHECK(f.run() == World::Stopped::idle);
    CHECK(group.size() == 0);
  }
  CHECK(seen == "closed");
  CHECK(outcome(f.b.env().network.listen(endpoint("10.0.0.2:25"))) == "closed");
  f.b.restart();
  CHECK(outcome(f.b.env().network.listen(endpoint("10.0.0.2:25"))) == "ok");
}

TEST_CASE("a program that does not end after a crash fails the run by name") {
  Fixture f;
  bool let_go = false;
  SUBCASE("because it tries again and again") {
    f.a.start([&](Env& env) -> Task<void> {
      while (!let_go) {
        const auto listing = co_await env.disk.list("/");
        static_cast<void>(outcome(listing));
      }
    });
    f.world.at(1ms, [&] { f.a.crash(); });
    CHECK(f.run() == World::Stopped::stuck);
  }
  SUBCASE("because it waits for what never comes") {
    Wakeup* wakeup = nullptr;
    f.a.start([&](Env& env) -> Task<void> {
      // On another host's Env, whose clock goes on.
      Wakeup waiting(f.b.env());
      wakeup = &waiting;
      co_await sleep_until(env, kNever);
      co_await waiting.wait();
    });
    f.world.at(1ms, [&] { f.a.crash(); });
    CHECK(f.run() == World::Stopped::stuck);
    REQUIRE(wakeup != nullptr);
    wakeup->notify();  // its memory shall not be lost
  }
  CHECK(f.world.stuck_nodes() == std::vector<std::string>{"a"});
  CHECK(f.world.describe_pending().find("a: crashed, and its program does not end") == 0);
  let_go = true;
}

TEST_CASE("the end of the world ends all programs, and leaves no trace in the recording") {
  Recording recording;
  bool ended = false;
  std::size_t records = 0;
  {
    World world({}, recording);
    Node& node = world.add_node("a", {ip("10.0.0.1")});
    node.start([&](Env& env) -> Task<void> {
      auto listener = env.network.listen(endpoint("10.0.0.1:25"));
      REQUIRE(listener);
      auto stream = co_await env.network.connect(endpoint("10.0.0.1:25"), std::nullopt, kNever);
      REQUIRE(stream);
      auto nobody = co_await (*listener)->accept();
      nobody = co_await (*listener)->accept();
      world.recorder().add(record::Fault{"test", "a", 0, "was told while it unwound"});
      ended = true;
    });
    CHECK(world.run(1h, {}) == World::Stopped::idle);
    CHECK(world.running_programs() == 1);
    records = recording.records.size();
  }
  CHECK(ended);
  CHECK(recording.records.size() == records);
}

}  // namespace postproof::sim
