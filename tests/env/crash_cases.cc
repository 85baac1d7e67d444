// What is durable when (env/disk.h), shown by cutting a simulated host off; and what a crash does to the
// calls and timers that stand. Faults of the disk, too: a real one does not fail at will.
#include "sim/world/node.h"
#include "sim/world/world.h"
#include "tests/env/place.h"

namespace postproof::test {

namespace {

using sim::CrashLoss;

// One host; its program runs to its end, and then it may crash.
struct Host {
  explicit Host(CrashLoss loss = CrashLoss::lose_all)
      : world(sim::WorldSettings{}, recording), node(world.add_node("host", {*IpAddress::parse("192.0.2.1")})) {
    node.disk().set_crash_loss(loss);
  }

  void run(std::function<Task<void>(Env&)> program) {
    node.start(std::move(program));
    const auto stopped = world.run(world.now() + 1h, [this] { return !node.running(); });
    CHECK(stopped == sim::World::Stopped::finished);
  }
  void run_and_crash(std::function<Task<void>(Env&)> program) {
    run(std::move(program));
    node.crash();
  }
  std::string content(std::string_view path) { return node.disk().content(path).value_or("(none)"); }

  sim::Recording recording;
  sim::World world;
  sim::Node& node;
};

Task<void> must(Task<Result<void>> task) {
  const Result<void> result = co_await std::move(task);
  good(result);
}

Task<std::unique_ptr<File>> create(Env& env, std::string path) {
  auto file = co_await env.disk.open(path, OpenMode::create_new);
  if (!good(file)) co_return nullptr;
  co_return std::move(*file);
}

}  // namespace

TEST_CASE("crash: written and not synced is lost; synced, under a synced name, is kept") {
  Host host;
  host.run_and_crash([](Env& env) -> Task<void> {
    const auto kept = co_await create(env, "/kept");
    co_await must(kept->write_at(0, "synced"));
    co_await must(kept->sync());
    const auto half = co_await create(env, "/half");
    co_await must(half->write_at(0, "first"));
    co_await must(half->sync());
    co_await must(half->write_at(0, "later"));
    co_await must(half->write_at(5, " and longer"));
    const auto lost = co_await create(env, "/lost");
    co_await must(lost->write_at(0, "unsynced"));
    co_await must(env.disk.sync_dir("/"));
  });
  CHECK(host.content("/kept") == "synced");
  CHECK(host.content("/half") == "first");
  CHECK(host.content("/lost") == "");
}

TEST_CASE("crash: a name that was made without sync_dir is lost, its synced content with it") {
  Host host;
  host.run_and_crash([](Env& env) -> Task<void> {
    const auto file = co_await create(env, "/f");
    co_await must(file->write_at(0, "synced"));
    co_await must(file->sync());
  });
  CHECK(host.content("/f") == "(none)");
}

TEST_CASE("crash: rename, link, unlink and mkdir are undone without sync_dir, and stay with it") {
  for (const bool synced : {false, true}) {
    CAPTURE(synced);
    Host host;
    for (const std::string_view path : {"/old", "/target", "/linked", "/gone"})
      host.node.disk().put(path, std::string(path));
    host.run_and_crash([synced](Env& env) -> Task<void> {
      co_await must(env.disk.rename("/old", "/target"));
      co_await must(env.disk.link("/linked", "/second"));
      co_await must(env.disk.unlink("/gone"));
      co_await must(env.disk.mkdir("/folder"));
      if (synced) co_await must(env.disk.sync_dir("/"));
    });
    CHECK(host.content("/old") == (synced ? "(none)" : "/old"));
    CHECK(host.content("/target") == (synced ? "/old" : "/target"));
    CHECK(host.content("/linked") == "/linked");
    CHECK(host.content("/second") == (synced ? "/linked" : "(none)"));
    CHECK(host.content("/gone") == (synced ? "(none)" : "/gone"));
    host.run([synced](Env& env) -> Task<void> {
      const Result<std::vector<std::string>> inside = co_await env.disk.list("/folder");
      CHECK(inside.has_value() == synced);
    });
  }
}

TEST_CASE("crash: a folder's sync is its own, not its parent's") {
  Host host;
  host.run_and_crash([](Env& env) -> Task<void> {
    co_await must(env.disk.mkdir("/a"));
    co_await must(env.disk.sync_dir("/"));
    const auto file = co_await create(env, "/a/f");
    co_await must(file->sync());
    const auto other = co_await create(env, "/a/g");
    co_await must(env.disk.sync_dir("/a"));
    const auto later = co_await create(env, "/a/late");
    const auto beside = co_await create(env, "/beside");
    co_await must(env.disk.sync_dir("/"));  // says nothing of what is new in /a
  });
  CHECK(host.content("/a/f") == "");
  CHECK(host.content("/a/g") == "");
  CHECK(host.content("/a/late") == "(none)");
  CHECK(host.content("/beside") == "");
}

TEST_CASE("crash: an allocated range is durable zeros once synced") {
  Host host;
  host.run_and_crash([](Env& env) -> Task<void> {
    const auto file = co_await create(env, "/f");
    co_await must(file->allocate(0, 1000));
    co_await must(file->sync());
    co_await must(env.disk.sync_dir("/"));
    co_await must(file->write_at(10, "unsynced"));
  });
  CHECK(host.content("/f") == std::string(1000, '\0'));
}

TEST_CASE("crash: with keep_all everything stays") {
  Host host(CrashLoss::keep_all);
  host.run_and_crash([](Env& env) -> Task<void> {
    const auto file = co_await create(env, "/f");
    co_await must(file->write_at(0, "unsynced"));
  });
  CHECK(host.content("/f") == "unsynced");
}

TEST_CASE("crash: a torn write leaves old or new in each sector, and nothing else") {
  // The synced content is all a, the unsynced write all b.
  bool saw_old = false;
  bool saw_new = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sim::Recording recording;
    sim::World world(sim::WorldSettings{.seed = seed}, recording);
    sim::Node& node = world.add_node("host", {*IpAddress::parse("192.0.2.1")});
    node.disk().set_crash_loss(CrashLoss::torn);
    node.disk().put("/f", std::string(4096, 'a'));
    const std::string update(4096, 'b');
    node.start([&](Env& env) -> Task<void> {
      const auto file = co_await env.disk.open("/f", OpenMode::read_write);
      if (!good(file)) co_return;
      co_await must((*file)->write_at(0, update));
    });
    world.run(1h, [&] { return !node.running(); });
    node.crash();
    const std::string after = node.disk().content("/f").value_or("");
    CHECK(after.size() == 4096);
    for (std::size_t i = 0; i < after.size(); ++i) {
      const bool sector_uniform = after[i] == after[i / 512 * 512];
      if (!sector_uniform || (after[i] != 'a' && after[i] != 'b')) {
        FAIL_CHECK("sector ", i / 512, " is torn within, with seed ", seed);
        break;
      }
      (after[i] == 'a' ? saw_old : saw_new) = true;
    }
  }
  CHECK(saw_old);
  CHECK(saw_new);
}

TEST_CASE("crash: timers fire with alive = false, and every pending and later call yields closed") {
  Host host;
  int ended = 0;
  bool timer_alive = true;
  host.node.start([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(Endpoint(*IpAddress::parse("192.0.2.1"), 25));
    if (!good(listener)) co_return;
    env.clock.call_at(env.clock.mono() + 1h, [&](bool alive) { timer_alive = alive; });
    TaskGroup group(env.executor);
    const auto accept = [&]() -> Task<void> {
      const auto stream = co_await (*listener)->accept();
      failed_with(Errc::closed, stream);
      ++ended;
    };
    const auto sleep = [&]() -> Task<void> {
      const Woken woken = co_await sleep_until(env, kNever);
      CHECK(woken == Woken::closed);
      const Woken again = co_await sleep_until(env, env.clock.mono() + 1h);
      CHECK(again == Woken::closed);
      const auto stream =
          co_await env.network.connect(Endpoint(*IpAddress::parse("192.0.2.1"), 25), std::nullopt, kNever);
      failed_with(Errc::closed, stream);
      const auto file = co_await env.disk.open("/f", OpenMode::create_new);
      failed_with(Errc::closed, file);
      ++ended;
    };
    group.spawn(accept());
    group.spawn(sleep());
    co_await group.join();
    ++ended;
  });
  host.world.run(1s, [] { return false; });
  CHECK(host.node.running());
  host.node.crash();
  CHECK(!host.node.running());
  CHECK(ended == 3);
  CHECK(!timer_alive);
  CHECK(host.content("/f") == "(none)");
}

TEST_CASE("poisoned: after a failed sync every later call but reads is refused, whatever the disk says by then") {
  Host host;
  host.run([&](Env& env) -> Task<void> {
    const auto file = co_await create(env, "/f");
    co_await must(file->write_at(0, "text"));
    sim::DiskFault fault;
    fault.operation = "sync";
    fault.path = "/f";
    fault.error = Errc::io;
    fault.count = 1;
    host.node.disk().add_fault(fault);
    const Result<void> failed = co_await file->sync();
    failed_with(Errc::io, failed);
    const Result<void> again = co_await file->sync();
    failed_with(Errc::poisoned, again);
    const Result<void> written = co_await file->write_at(0, "x");
    failed_with(Errc::poisoned, written);
    const Result<void> zeroed = co_await file->allocate(0, 10);
    failed_with(Errc::poisoned, zeroed);
    const Result<void> cut = co_await file->truncate(0);
    failed_with(Errc::poisoned, cut);
    char buffer[4];
    const Result<std::size_t> got = co_await file->read_at(0, std::span(buffer));
    if (good(got)) CHECK(std::string_view(buffer, *got) == "text");
    // Another File is another matter.
    const auto other = co_await create(env, "/g");
    co_await must(other->sync());
  });
}

TEST_CASE("disk full: a write fails with no_space, and what was there is unharmed") {
  Host host;
  host.run([&](Env& env) -> Task<void> {
    const auto file = co_await create(env, "/f");
    co_await must(file->write_at(0, "text"));
    host.node.disk().set_capacity(1000);
    const std::string large(100'000, 'x');
    const Result<void> failed = co_await file->write_at(4, large);
    failed_with(Errc::no_space, failed);
    char buffer[4];
    const Result<std::size_t> got = co_await file->read_at(0, std::span(buffer));
    if (good(got)) CHECK(std::string_view(buffer, *got) == "text");
    host.node.disk().set_capacity(std::nullopt);
    co_await must(file->write_at(4, large));
  });
}

TEST_CASE("crash: heavy work that waits is not done any more") {
  Host host;
  bool ran = false;
  std::optional<Result<void>> result;
  host.node.start([&](Env& env) -> Task<void> {
    Work::Job job = [&ran] { ran = true; };
    result.emplace(co_await env.work.run(std::move(job)));
  });
  host.world.run(host.world.now() + 1ms, [] { return false; });
  host.node.crash();
  REQUIRE(result.has_value());
  failed_with(Errc::closed, *result);
  CHECK(!ran);
}

}  // namespace postproof::test
