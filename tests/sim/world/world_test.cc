#include "sim/world/world.h"

#include "tests/sim/world/fixture.h"

namespace postproof::sim {

TEST_CASE("the world's own events happen in order of time, and time stands still between them") {
  Fixture f;
  Diary diary(f.world);
  f.world.at(2s, [&] { diary.note("second"); });
  f.world.at(1s, [&] {
    diary.note("first");
    f.world.at(0s, [&] { diary.note("late, so at once"); });
    f.world.after_this_event([&] { diary.note("right after"); });
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "1s first\n1s right after\n1s late, so at once\n2s second\n");
}

TEST_CASE("a run ends when asked, at its limit, and when nothing can happen") {
  Fixture f;
  int ran = 0;
  for (const Duration at : {1s, 2s, 3s}) f.world.at(at, [&] { ++ran; });
  CHECK(f.world.run(10s, [&] { return ran == 1; }) == World::Stopped::finished);
  CHECK(f.world.now() == 1s);
  CHECK(f.world.run(2500ms, {}) == World::Stopped::limit);
  CHECK(ran == 2);
  CHECK(f.world.now() == 2500ms);
  CHECK(f.world.run(10s, {}) == World::Stopped::idle);
  CHECK(f.world.now() == 3s);
}

TEST_CASE("a world that runs in circles is stopped") {
  WorldSettings settings;
  settings.events_max = 1000;
  Fixture f(settings);
  f.a.start([](Env& env) -> Task<void> {
    while (co_await sleep_until(env, env.clock.mono()) == Woken::deadline) {
    }
  });
  CHECK(f.run() == World::Stopped::events);
  CHECK(f.world.events_run() == 1000);
  CHECK(f.world.describe_pending().starts_with("a: running"));
}

TEST_CASE("a world whose recording grows too large is stopped") {
  WorldSettings settings;
  settings.recording_max = 1'000'000;
  Fixture f(settings);
  f.world.at(1s, [&] { f.world.recorder().add(record::PeerMessage{"a", 1, {}, {}, {}, {}, std::string(999'000, 'x'), {}, true}); });
  f.world.at(2s, [&] { f.world.recorder().add(record::Datagram{"a", "b", {}, {}, std::string(10'000, 'x'), false}); });
  f.world.at(3s, [] {});
  CHECK(f.run() == World::Stopped::recording);
  CHECK(f.world.now() == 2s);
}

TEST_CASE("timers") {
  Fixture f;
  Diary diary(f.world);
  Clock& clock = f.a.env().clock;
  const auto note = [&](std::string name) {
    return [&diary, name](bool alive) { diary.note(name + (alive ? "" : " dead")); };
  };

  SUBCASE("fire by time, those of one moment in the order in which they were set, never inline") {
    clock.call_at(MonoTime(2s), note("b"));
    clock.call_at(MonoTime(1s), note("a"));
    clock.call_at(MonoTime(2s), note("c"));
    clock.call_at(MonoTime(0s), note("now"));
    CHECK(diary.text.empty());
    CHECK(f.run() == World::Stopped::idle);
    CHECK(diary.text == "0s now\n1s a\n2s b\n2s c\n");
  }
  SUBCASE("that were cancelled do not fire, and do not move time on") {
    const auto timer = clock.call_at(MonoTime(5s), note("never"));
    clock.call_at(MonoTime(1s), note("a"));
    CHECK(clock.cancel(timer));
    CHECK_FALSE(clock.cancel(timer));
    CHECK(f.run() == World::Stopped::idle);
    CHECK(diary.text == "1s a\n");
    CHECK(f.world.now() == 1s);
  }
  SUBCASE("that wait without end are nothing that could happen") {
    const auto timer = clock.call_at(kNever, note("never"));
    CHECK(timer != 0);
    CHECK(f.run() == World::Stopped::idle);
    CHECK(clock.cancel(timer));
    CHECK(diary.text.empty());
  }
  SUBCASE("fire with alive = false when the node crashes, in the order in which they were set") {
    Clock::TimerId cancelled = 0;
    clock.call_at(kNever, note("never"));
    clock.call_at(MonoTime(9s), [&](bool alive) {
      diary.note(alive ? "late" : "late dead");
      CHECK(clock.cancel(cancelled));
      clock.call_at(MonoTime(1h), note("set after death"));
    });
    cancelled = clock.call_at(MonoTime(8s), note("cancelled"));
    clock.call_at(MonoTime(2s), note("early"));
    f.world.at(1s, [&] { f.a.crash(); });
    CHECK(f.run() == World::Stopped::idle);
    CHECK(f.world.now() == 1s);
    CHECK(diary.text == "1s never dead\n1s late dead\n1s early dead\n1s set after death dead\n");
  }
}

TEST_CASE("a node's wall clock is the world's plus its offset; monotonic time is virtual time") {
  Fixture f;
  f.b.set_clock_offset(-1h);
  f.world.at(10s, [&] {
    CHECK(f.a.env().clock.now() == f.world.settings().start + 10s);
    CHECK(f.b.env().clock.now() == f.world.settings().start + 10s - 1h);
    CHECK(f.b.env().clock.mono() == MonoTime(10s));
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(f.world.now() == 10s);
}

TEST_CASE("random streams are their own: by seed, node, name, and how often they were asked for") {
  const auto draw = [](std::uint64_t seed, std::string_view node, std::string_view name, int asked) {
    WorldSettings settings;
    settings.seed = seed;
    Fixture f(settings);
    Entropy& entropy = f.world.find_node(node)->env().entropy;
    for (int i = 1; i < asked; ++i) entropy.stream(name);
    entropy.stream("another");  // shifts nothing
    return entropy.stream(name)->next();
  };
  const std::uint64_t value = draw(1, "a", "x", 1);
  CHECK(draw(1, "a", "x", 1) == value);
  CHECK(draw(2, "a", "x", 1) != value);
  CHECK(draw(1, "b", "x", 1) != value);
  CHECK(draw(1, "a", "y", 1) != value);
  CHECK(draw(1, "a", "x", 2) != value);
}

TEST_CASE("nodes are found by name and by any of their addresses") {
  Fixture f;
  CHECK(f.world.find_node("b") == &f.b);
  CHECK(f.world.find_node("d") == nullptr);
  CHECK(f.world.find_node(ip("10.0.0.22")) == &f.b);
  CHECK(f.world.find_node(ip("2001:db8::1")) == &f.a);
  CHECK(f.world.find_node(ip("10.0.0.4")) == nullptr);
}

TEST_CASE("events of a program are recorded, then shown to the observer") {
  Fixture f;
  std::size_t records_when_seen = 0;
  f.a.on_event([&](const Event& event) {
    CHECK(event_name(event) == "service");
    records_when_seen = f.recording.records.size();
  });
  f.a.start([](Env& env) -> Task<void> {
    env.events.emit(event::Service{"listening", "10.0.0.1:25"});
    co_return;
  });
  CHECK(f.run() == World::Stopped::idle);
  const auto events = f.records<record::MtaEvent>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].second.node == "a");
  CHECK(events[0].second.name == "service");
  CHECK(*events[0].second.find("detail") == "10.0.0.1:25");
  CHECK(records_when_seen == 2);  // start and this
  const auto states = f.records<record::NodeState>();
  REQUIRE(states.size() == 2);
  CHECK(states[0].second.state == "start");
  CHECK(states[1].second.state == "stop");
}

TEST_CASE("a wall clock drifts, stands still and is moved; the monotonic one is the world's") {
  Fixture f;
  const WallTime start = f.world.settings().start;
  const auto wall = [&] { return f.a.env().clock.now() - start; };
  f.world.at(10s, [&] { f.a.set_clock_drift(1000); });
  f.world.at(1010s, [&] {
    CHECK(wall() == 1011s);
    f.a.set_clock_drift(-1000);
  });
  f.world.at(2010s, [&] {
    CHECK(wall() == 2010s);
    f.a.set_clock_drift(0);
    f.a.freeze_clock(true);
  });
  f.world.at(3000s, [&] {
    CHECK(wall() == 2010s);
    f.a.move_clock(-1h);
    CHECK(wall() == 2010s - 1h);
    f.a.freeze_clock(false);
  });
  f.world.at(3100s, [&] {
    CHECK(wall() == 2110s - 1h);
    CHECK(f.a.wall_clock() == start + wall());
    CHECK(f.b.wall_clock() == start + 3100s);
    CHECK(f.a.env().clock.mono() == MonoTime(3100s));
  });
  CHECK(f.run() == World::Stopped::idle);
}

TEST_CASE("a paused program takes no step; its timers and octets wait, and its kernel takes connections") {
  Fixture f;
  Diary diary(f.world);
  f.b.start([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("10.0.0.2:25"));
    REQUIRE(listener);
    co_await sleep_until(env, MonoTime(2s));
    diary.note("b wakes");
    auto stream = co_await (*listener)->accept();
    REQUIRE(stream);
    const std::string got = co_await read_to_end(**stream);
    diary.note("b reads " + got);
  });
  f.a.start([&](Env& env) -> Task<void> {
    co_await sleep_until(env, MonoTime(5s));
    auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    diary.note("a connects " + outcome(stream));
    const auto sent = co_await (*stream)->write_all("hello", kNever);
    diary.note("a writes " + outcome(sent));
  });
  f.world.at(1s, [&] { f.b.pause(true); });
  f.world.at(1min, [&] { f.b.pause(false); });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "5.002s a connects ok\n5.002s a writes ok\n1m b wakes\n1m b reads hello<end>\n");
}

TEST_CASE("a program that is paused before it begins begins when that is over") {
  Fixture f;
  Duration begun{-1};
  f.a.pause(true);
  f.a.start([&](Env&) -> Task<void> {
    begun = f.world.now();
    co_return;
  });
  f.world.at(1min, [&] { f.a.pause(false); });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(begun == 1min);
}

TEST_CASE("a crash ends a pause, and the program unwinds") {
  Fixture f;
  std::size_t ended = 0, started = 0;
  f.a.start([&](Env& env) -> Task<void> {
    ++started;
    const Woken woken = co_await sleep_until(env, MonoTime(10s));
    ended += woken == Woken::closed ? 1 : 0;
  });
  f.world.at(1s, [&] { f.a.pause(true); });
  f.world.at(2s, [&] {
    f.a.crash();
    CHECK(ended == 1);
    f.a.restart();
  });
  f.world.at(3s, [&] { f.a.pause(false); });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(f.world.now() == 10s);
  CHECK(started == 2);
}

TEST_CASE("out of descriptors nothing can be opened, and connections wait; what is open goes on") {
  Fixture f;
  Diary diary(f.world);
  f.b.start([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("10.0.0.2:25"));
    REQUIRE(listener);
    const auto full = co_await (*listener)->accept();
    diary.note("accept " + outcome(full));
    const auto file = co_await env.disk.open("/f", OpenMode::create_new);
    diary.note("open " + outcome(file));
    const auto socket = env.network.open_datagram(endpoint("10.0.0.2:0"));
    diary.note("socket " + outcome(socket));
    const auto out = co_await env.network.connect(endpoint("10.0.0.1:25"), std::nullopt, kNever);
    diary.note("connect " + outcome(out));
    f.b.set_descriptors_max(2);
    const auto stream = co_await (*listener)->accept();
    diary.note("accept " + outcome(stream));
    listener->reset();
    const auto later = co_await env.disk.open("/f", OpenMode::create_new);
    diary.note("open " + outcome(later));
  });
  f.b.set_descriptors_max(1);
  f.a.start([&](Env& env) -> Task<void> {
    auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    diary.note("a connects " + outcome(stream));
    co_await sleep_until(env, MonoTime(1s));
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text ==
        "2ms a connects ok\n3ms accept input/output error\n3.01ms open input/output error\n"
        "3.01ms socket input/output error\n3.01ms connect input/output error\n3.01ms accept ok\n3.02ms open ok\n");
}

}  // namespace postproof::sim
