#include "tests/sim/world/fixture.h"

#include <algorithm>
#include <set>

#include "sim/world/disk_image.h"
#include "sim/world/sim_random.h"

namespace postproof::sim {

namespace {

// Runs a program on the host to its end.
void run_on(Fixture& f, Node& node, Node::Program program) {
  node.start(std::move(program));
  CHECK(f.run() == World::Stopped::idle);
  CHECK_FALSE(node.running());
}

// A file with these octets; with what is to be synced of it.
Task<void> make_file(Env& env, std::string path, std::string content, bool sync, bool sync_dir) {
  auto file = co_await env.disk.open(path, OpenMode::create_new);
  REQUIRE(file);
  const auto written = co_await (*file)->write_at(0, content);
  REQUIRE(written);
  if (sync) {
    const auto synced = co_await (*file)->sync();
    REQUIRE(synced);
  }
  if (sync_dir) {
    const auto synced = co_await env.disk.sync_dir("/");
    REQUIRE(synced);
  }
}

}  // namespace

TEST_CASE("files: written, read, sized, truncated, allocated; each at its cost") {
  Fixture f;
  Diary diary(f.world);
  run_on(f, f.a, [&](Env& env) -> Task<void> {
    auto file = co_await env.disk.open("f", OpenMode::create_new);
    REQUIRE(file);
    diary.note("open");
    auto done = co_await (*file)->write_at(2, "hello");
    diary.note("write " + outcome(done));
    char buffer[100];
    auto got = co_await (*file)->read_at(0, buffer);
    diary.note("read " + std::to_string(*got) +
               (std::string_view(buffer, *got) == std::string_view("\0\0hello", 7) ? " right" : " wrong"));
    got = co_await (*file)->read_at(7, buffer);
    diary.note("read " + std::to_string(*got));
    done = co_await (*file)->sync();
    diary.note("sync " + outcome(done));
    done = co_await (*file)->truncate(4);
    done = co_await (*file)->allocate(3, 16 << 20);
    auto size = co_await (*file)->size();
    diary.note("size " + std::to_string(*size));
  });
  CHECK(diary.text ==
        "10us open\n30us write ok\n40us read 7 right\n50us read 0\n1.05ms sync ok\n1.08ms size 16777219\n");
  const auto content = f.a.disk().content("/f");
  REQUIRE(content);
  CHECK(content->substr(0, 4) == std::string_view("\0\0h\0", 4));
  CHECK(f.a.disk().operations() == 8);
  const auto operations = f.records<record::DiskOperation>();
  REQUIRE(operations.size() == 8);
  CHECK(operations[1].second.number == 2);
  CHECK(operations[1].second.operation == "write");
  CHECK(operations[1].second.path == "f");
  CHECK(operations[1].second.offset == 2);
  CHECK(operations[1].second.size == 5);
  CHECK(operations[1].second.result == "ok");
}

TEST_CASE("names: opened, linked, renamed, removed, listed") {
  Fixture f;
  std::string seen;
  run_on(f, f.a, [&](Env& env) -> Task<void> {
    Disk& disk = env.disk;
    const auto note = [&](const auto& result) { seen += outcome(result) + "\n"; };
    auto done = co_await disk.mkdir("d");
    note(done);
    done = co_await disk.mkdir("d");
    note(done);
    done = co_await disk.mkdir("no/d");
    note(done);
    auto file = co_await disk.open("d/b", OpenMode::create_new);
    note(file);
    auto again = co_await disk.open("/d//./b", OpenMode::create_new);
    note(again);
    auto missing = co_await disk.open("d/a", OpenMode::read);
    note(missing);
    done = co_await disk.link("d/b", "d/a");
    note(done);
    done = co_await disk.link("d/b", "d/a");
    note(done);
    done = co_await disk.rename("d/b", "c");
    note(done);
    done = co_await disk.rename("d/b", "c");
    note(done);
    done = co_await disk.unlink("d");
    note(done);
    auto names = co_await disk.list("/");
    REQUIRE(names);
    for (const std::string& name : *names) seen += name + " ";
    names = co_await disk.list("d");
    REQUIRE(names);
    for (const std::string& name : *names) seen += name + " ";
    done = co_await disk.unlink("d/a");
    note(done);
    done = co_await disk.unlink("d/a");
    note(done);
    auto reader = co_await disk.open("c", OpenMode::read);
    note(reader);
    done = co_await (*reader)->write_at(0, "x");
    note(done);
    auto directory = co_await disk.open("d", OpenMode::read);
    note(directory);
  });
  CHECK(seen ==
        "ok\nalready exists\nnot found\nok\nalready exists\nnot found\nok\nalready exists\nok\nnot found\ninvalid\n"
        "c d a ok\nnot found\nok\npermission denied\ninvalid\n");
  CHECK(f.a.disk().files() == std::vector<std::string>{"/c"});
}

TEST_CASE("a removed file lives on for who has it open") {
  Fixture f;
  run_on(f, f.a, [&](Env& env) -> Task<void> {
    co_await make_file(env, "f", "content", true, true);
    auto file = co_await env.disk.open("f", OpenMode::read);
    REQUIRE(file);
    const auto gone = co_await env.disk.unlink("f");
    CHECK(gone);
    char buffer[10];
    const auto got = co_await (*file)->read_at(0, buffer);
    REQUIRE(got);
    CHECK(std::string_view(buffer, *got) == "content");
  });
  CHECK(f.a.disk().files().empty());
}

TEST_CASE("a crash that loses all leaves what was synced, and only what was synced") {
  struct Case {
    bool sync, sync_dir;
    std::optional<std::string> wanted;
  };
  for (const Case& it : {Case{false, false, {}}, {true, false, {}}, {false, true, ""}, {true, true, "content"}}) {
    CAPTURE(it.sync);
    CAPTURE(it.sync_dir);
    Fixture f;
    f.a.disk().set_crash_loss(CrashLoss::lose_all);
    run_on(f, f.a, [&](Env& env) -> Task<void> { co_await make_file(env, "/f", "content", it.sync, it.sync_dir); });
    CHECK(f.a.disk().content("/f") == "content");
    f.a.crash();
    CHECK(f.a.disk().content("/f") == it.wanted);
  }
}

TEST_CASE("what was overwritten, extended, zeroed or cut off since the sync comes back") {
  const std::string before(10'000, 'a');
  for (const int what : {0, 1, 2, 3, 4}) {
    CAPTURE(what);
    Fixture f;
    run_on(f, f.a, [&](Env& env) -> Task<void> {
      co_await make_file(env, "/f", before, true, true);
      auto file = co_await env.disk.open("/f", OpenMode::read_write);
      REQUIRE(file);
      const std::string octets(5000, 'b');
      Result<void> done;
      if (what == 0) done = co_await (*file)->write_at(3000, octets);
      if (what == 1) done = co_await (*file)->write_at(9000, octets);
      if (what == 2) done = co_await (*file)->allocate(100, 9000);
      if (what == 3) done = co_await (*file)->truncate(10);
      if (what == 4) {
        done = co_await (*file)->truncate(0);
        done = co_await (*file)->write_at(4000, octets);
        done = co_await (*file)->write_at(4100, "cc");
      }
      CHECK(done);
    });
    CHECK(f.a.disk().content("/f") != before);
    f.a.crash();
    CHECK(f.a.disk().content("/f") == before);
  }
}

TEST_CASE("a crash that keeps all is no loss, and makes it durable") {
  Fixture f;
  f.a.disk().set_crash_loss(CrashLoss::keep_all);
  run_on(f, f.a, [&](Env& env) -> Task<void> { co_await make_file(env, "/f", "content", false, false); });
  f.a.crash();
  CHECK(f.a.disk().content("/f") == "content");
  f.a.disk().set_crash_loss(CrashLoss::lose_all);
  run_on(f, f.a, [](Env&) -> Task<void> { co_return; });
  f.a.crash();
  CHECK(f.a.disk().content("/f") == "content");
}

TEST_CASE("renames and removals that were not synced are taken back") {
  Fixture f;
  run_on(f, f.a, [&](Env& env) -> Task<void> {
    co_await make_file(env, "/old", "1", true, true);
    co_await make_file(env, "/target", "2", true, true);
    co_await make_file(env, "/removed", "3", true, true);
    auto done = co_await env.disk.rename("/old", "/target");
    CHECK(done);
    done = co_await env.disk.unlink("/removed");
    CHECK(done);
  });
  CHECK(f.a.disk().files() == std::vector<std::string>{"/target"});
  f.a.crash();
  CHECK(f.a.disk().content("/old") == "1");
  CHECK(f.a.disk().content("/target") == "2");
  CHECK(f.a.disk().content("/removed") == "3");
}

TEST_CASE("a rename into another directory is durable in each when that one was synced") {
  struct Case {
    std::string_view synced;
    std::vector<std::string> wanted;
  };
  // Who syncs only the old directory has no name for the file any more.
  for (const Case& it : {Case{"", {"/a/f"}}, {"b", {"/a/f", "/b/f"}}, {"a", {}}, {"ba", {"/b/f"}}}) {
    CAPTURE(it.synced);
    Fixture f;
    f.a.disk().put("/a/f", "content");
    f.a.disk().make_directories("/b");
    run_on(f, f.a, [&](Env& env) -> Task<void> {
      auto done = co_await env.disk.rename("/a/f", "/b/f");
      CHECK(done);
      for (const char directory : it.synced) {
        done = co_await env.disk.sync_dir("/" + std::string(1, directory));
        CHECK(done);
      }
    });
    CHECK(f.a.disk().files() == std::vector<std::string>{"/b/f"});
    f.a.crash();
    CHECK(f.a.disk().files() == it.wanted);
  }
}

TEST_CASE("a torn write is kept, lost, or cut at a sector, and each of them happens") {
  // Written over synced octets from offset 100, over four borders of sectors.
  const std::string before(3000, 'a');
  std::set<std::size_t> kept;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    WorldSettings settings;
    settings.seed = seed;
    Fixture f(settings);
    f.a.disk().set_crash_loss(CrashLoss::torn);
    f.a.disk().put("/f", before);
    run_on(f, f.a, [&](Env& env) -> Task<void> {
      auto file = co_await env.disk.open("/f", OpenMode::read_write);
      REQUIRE(file);
      const std::string octets(2000, 'b');
      const auto done = co_await (*file)->write_at(100, octets);
      CHECK(done);
    });
    f.a.crash();
    const std::string after = f.a.disk().content("/f").value();
    REQUIRE(after.size() == before.size());
    const std::size_t count = static_cast<std::size_t>(std::count(after.begin(), after.end(), 'b'));
    REQUIRE(after == std::string(100, 'a') + std::string(count, 'b') + std::string(2900 - count, 'a'));
    kept.insert(count);
  }
  CHECK(kept == std::set<std::size_t>{0, 412, 924, 1436, 1948, 2000});
}

TEST_CASE("torn names: a rename leaves the new name, the old one, or both, and never neither") {
  std::set<std::vector<std::string>> seen_here, seen_across;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    WorldSettings settings;
    settings.seed = seed;
    Fixture f(settings);
    f.a.disk().set_crash_loss(CrashLoss::torn);
    f.a.disk().put("/a/old", "content");
    f.b.disk().set_crash_loss(CrashLoss::torn);
    f.b.disk().put("/a/old", "content");
    f.b.disk().make_directories("/b");
    run_on(f, f.a, [&](Env& env) -> Task<void> {
      const auto done = co_await env.disk.rename("/a/old", "/a/new");
      CHECK(done);
    });
    run_on(f, f.b, [&](Env& env) -> Task<void> {
      const auto done = co_await env.disk.rename("/a/old", "/b/new");
      CHECK(done);
    });
    f.a.crash();
    f.b.crash();
    seen_here.insert(f.a.disk().files());
    seen_across.insert(f.b.disk().files());
  }
  CHECK(seen_here == std::set<std::vector<std::string>>{{"/a/old"}, {"/a/new"}, {"/a/new", "/a/old"}});
  CHECK(seen_across == std::set<std::vector<std::string>>{{"/a/old"}, {"/b/new"}, {"/a/old", "/b/new"}});
}

TEST_CASE("faults: which operation, which path, after how many, how often") {
  Fixture f;
  DiskFault fault;
  fault.operation = "write";
  fault.path = "*/journal.*";
  fault.error = Errc::io;
  fault.skip = 1;
  fault.count = 2;
  const auto id = f.a.disk().add_fault(fault);
  DiskFault forever;
  forever.operation = "unlink";
  forever.error = Errc::permission;
  const auto second = f.a.disk().add_fault(forever);
  std::string seen;
  run_on(f, f.a, [&](Env& env) -> Task<void> {
    co_await make_file(env, "/other", "x", false, false);
    auto done = co_await env.disk.mkdir("/q");
    auto file = co_await env.disk.open("/q/journal.1", OpenMode::create_new);
    REQUIRE(file);
    for (int i = 0; i < 4; ++i) {
      done = co_await (*file)->write_at(0, "octets");
      seen += outcome(done) + "\n";
    }
    for (int i = 0; i < 2; ++i) {
      done = co_await env.disk.unlink("/other");
      seen += outcome(done) + "\n";
    }
    f.a.disk().remove_fault(second);
    done = co_await env.disk.unlink("/other");
    seen += outcome(done) + "\n";
  });
  CHECK(seen == "ok\ninput/output error\ninput/output error\nok\npermission denied\npermission denied\nok\n");
  f.a.disk().remove_fault(id);
}

TEST_CASE("a failing write may leave its first half") {
  Fixture f;
  f.a.disk().put("/f", "........");
  DiskFault fault;
  fault.operation = "write";
  fault.partial = true;
  f.a.disk().add_fault(fault);
  run_on(f, f.a, [&](Env& env) -> Task<void> {
    auto file = co_await env.disk.open("/f", OpenMode::read_write);
    REQUIRE(file);
    const auto done = co_await (*file)->write_at(0, "12345678");
    CHECK(outcome(done) == "input/output error");
  });
  CHECK(f.a.disk().content("/f") == "1234....");
}

TEST_CASE("after a failed sync a file is dead but for reads, and what it held is not durable") {
  Fixture f;
  DiskFault fault;
  fault.operation = "sync";
  fault.count = 1;
  f.a.disk().put("/f", "before");
  f.a.disk().add_fault(fault);
  std::string seen;
  run_on(f, f.a, [&](Env& env) -> Task<void> {
    auto file = co_await env.disk.open("/f", OpenMode::read_write);
    REQUIRE(file);
    auto done = co_await (*file)->write_at(0, "after.");
    seen += outcome(done) + "\n";
    for (int i = 0; i < 2; ++i) {
      done = co_await (*file)->sync();
      seen += outcome(done) + "\n";
    }
    done = co_await (*file)->write_at(0, "more");
    seen += outcome(done) + "\n";
    done = co_await (*file)->allocate(0, 1);
    seen += outcome(done) + "\n";
    done = co_await (*file)->truncate(0);
    seen += outcome(done) + "\n";
    const auto size = co_await (*file)->size();
    seen += outcome(size) + "\n";
    char buffer[10];
    const auto got = co_await (*file)->read_at(0, buffer);
    seen += outcome(got) + "\n";
  });
  const std::string poisoned = "poisoned by a failed sync\n";
  CHECK(seen == "ok\ninput/output error\n" + poisoned + poisoned + poisoned + poisoned + poisoned + "ok\n");
  f.a.crash();
  CHECK(f.a.disk().content("/f") == "before");
}

TEST_CASE("a disk that is full: a write takes what there is room for, allocate all or nothing") {
  Fixture f;
  f.a.disk().set_capacity(1000);
  f.a.disk().put("/taken", std::string(400, 'x'));
  std::string seen;
  run_on(f, f.a, [&](Env& env) -> Task<void> {
    auto file = co_await env.disk.open("/f", OpenMode::create_new);
    REQUIRE(file);
    auto done = co_await (*file)->allocate(0, 601);
    seen += outcome(done) + "\n";
    done = co_await (*file)->allocate(0, 500);
    seen += outcome(done) + "\n";
    const std::string half(500, 'y');
    done = co_await (*file)->write_at(0, half);  // has its place
    seen += outcome(done) + "\n";
    auto free = co_await env.disk.free_bytes("/");
    seen += std::to_string(*free) + "\n";
    done = co_await (*file)->write_at(500, half);
    seen += outcome(done) + "\n";
    const auto size = co_await (*file)->size();
    seen += std::to_string(*size) + "\n";
    done = co_await env.disk.unlink("/taken");
    done = co_await (*file)->write_at(600, half.substr(0, 400));
    seen += outcome(done) + "\n";
  });
  CHECK(seen == "no space left\nok\nok\n100\nno space left\n600\nok\n");
}

TEST_CASE("a lock is held as long as its object lives, and not after a crash") {
  Fixture f;
  std::string seen;
  f.a.start([&](Env& env) -> Task<void> {
    auto first = co_await env.disk.lock("/lock");
    seen += outcome(first) + "\n";
    auto second = co_await env.disk.lock("/lock");
    seen += outcome(second) + "\n";
    if (first) first->reset();
    second = co_await env.disk.lock("/lock");
    seen += outcome(second) + "\n";
    co_await sleep_until(env, kNever);
  });
  CHECK(f.run() == World::Stopped::idle);
  f.a.crash();
  f.a.restart();
  CHECK(f.run() == World::Stopped::idle);
  CHECK(seen == "ok\nin use\nok\nok\nin use\nok\n");
}

TEST_CASE("bit rot inverts one bit, and a crash does not mend it") {
  Fixture f;
  f.a.disk().put("/f", "abc");
  f.a.disk().flip("/f", 1);
  CHECK(f.a.disk().content("/f") == "acc");
  f.a.crash();
  CHECK(f.a.disk().content("/f") == "acc");
}

TEST_CASE("contents, unsynced changes and crashes agree with a plain model") {
  world::SimRandom random(5);
  for (int round = 0; round < 200; ++round) {
    world::FileNode file;
    std::string model, synced;
    for (int step = 0; step < 30; ++step) {
      const std::uint64_t offset = random.below(20'000), size = random.below(9'000);
      switch (random.below(5)) {
        case 0:
        case 1: {
          const std::string octets(size, static_cast<char>('a' + random.below(26)));
          file.write(offset, octets);
          if (model.size() < offset + size) model.resize(offset + size);
          model.replace(offset, size, octets);
          break;
        }
        case 2:
          file.allocate(offset, size);
          if (model.size() < offset + size) model.resize(offset + size);
          model.replace(offset, size, std::string(size, '\0'));
          break;
        case 3:
          file.truncate(offset);
          model.resize(offset);
          break;
        default:
          if (random.below(2) == 0) {
            file.sync();
            synced = model;
          } else {
            file.crash(CrashLoss::lose_all, random);
            model = synced;
          }
      }
      REQUIRE(file.content().size() == model.size());
      REQUIRE(file.content().all() == model);
    }
  }
}

TEST_CASE("slow operations, and only those that are meant") {
  Fixture f;
  DiskFault fault;
  fault.operation = "sync";
  fault.trouble = DiskTrouble::slow;
  fault.delay = 2s;
  f.a.disk().add_fault(fault);
  f.a.start([&](Env& env) -> Task<void> {
    auto file = co_await env.disk.open("/f", OpenMode::create_new);
    REQUIRE(file);
    const auto written = co_await (*file)->write_at(0, "x");
    CHECK(written);
    CHECK(f.world.now() < 1s);
    const auto synced = co_await (*file)->sync();
    CHECK(synced);
    CHECK(f.world.now() > 2s);
  });
  CHECK(f.run() == World::Stopped::idle);
}

TEST_CASE("a read-only disk refuses what changes it, and nothing else") {
  Fixture f;
  f.a.disk().put("/f", "text");
  DiskFault fault;
  fault.operation = "change";
  fault.error = Errc::permission;
  f.a.disk().add_fault(fault);
  std::string told;
  f.a.start([&](Env& env) -> Task<void> {
    const auto note = [&](const auto& result) { told += result ? "+" : "-"; };
    auto file = co_await env.disk.open("/f", OpenMode::read);
    note(file);
    std::string buffer(4, ' ');
    const auto read = co_await (*file)->read_at(0, buffer);
    note(read);
    const auto listed = co_await env.disk.list("/");
    note(listed);
    const auto synced = co_await env.disk.sync_dir("/");
    note(synced);
    const auto writable = co_await env.disk.open("/f", OpenMode::read_write);
    note(writable);
    const auto made = co_await env.disk.open("/g", OpenMode::create_new);
    note(made);
    const auto renamed = co_await env.disk.rename("/f", "/g");
    note(renamed);
    const auto removed = co_await env.disk.unlink("/f");
    note(removed);
    const auto directory = co_await env.disk.mkdir("/d");
    note(directory);
    const auto lock = co_await env.disk.lock("/l");
    note(lock);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(told == "++++------");
}

TEST_CASE("a directory sync that forgets: the names are gone after a crash") {
  Fixture f;
  DiskFault fault;
  fault.operation = "sync_dir";
  fault.trouble = DiskTrouble::forget;
  std::string struck;
  fault.on_strike = [&](std::string_view operation, std::string_view path) {
    struck += std::string(operation) + " " + std::string(path);
  };
  f.a.disk().add_fault(std::move(fault));
  f.a.start([&](Env& env) -> Task<void> {
    auto file = co_await env.disk.open("/f", OpenMode::create_new);
    REQUIRE(file);
    const auto synced = co_await env.disk.sync_dir("/");
    CHECK(synced);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(f.a.disk().content("/f"));
  f.a.crash();
  CHECK_FALSE(f.a.disk().content("/f"));
  CHECK(struck == "sync_dir /");
}

TEST_CASE("bit rot strikes octets that are not zero, and stays; on a read it does not") {
  Fixture f;
  const std::string before = std::string(5000, '\0') + "text" + std::string(5000, '\0');
  f.a.disk().put("/d/one", before);
  f.a.disk().put("/d/empty", std::string(100, '\0'));
  f.a.disk().put("/e", before);
  const auto told = f.a.disk().rot("/d/*", std::nullopt, 3);
  CHECK(told.size() == 3);
  CHECK(std::ranges::all_of(told, [](const std::string& one) { return one.starts_with("/d/one, octet 500"); }));
  CHECK(f.a.disk().content("/d/one") != before);
  CHECK(f.a.disk().content("/e") == before);
  CHECK(f.a.disk().rot("/e", 7, 1) == std::vector<std::string>{"/e, octet 7"});
  CHECK(f.a.disk().rot("/e", 1'000'000, 1).empty());

  const std::string stored = *f.a.disk().content("/e");
  DiskFault fault;
  fault.operation = "read";
  fault.trouble = DiskTrouble::flip;
  fault.count = 1;
  f.a.disk().add_fault(fault);
  f.a.start([&](Env& env) -> Task<void> {
    auto file = co_await env.disk.open("/e", OpenMode::read);
    REQUIRE(file);
    std::string first(stored.size(), ' '), second(stored.size(), ' ');
    const auto one = co_await (*file)->read_at(0, first);
    const auto two = co_await (*file)->read_at(0, second);
    CHECK(one);
    CHECK(two);
    CHECK(first != stored);
    CHECK(second == stored);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(*f.a.disk().content("/e") == stored);
}

TEST_CASE("a short write leaves as many octets as it says") {
  Fixture f;
  DiskFault fault;
  fault.operation = "write";
  fault.error = Errc::no_space;
  fault.partial = true;
  fault.octets = 3;
  f.a.disk().add_fault(fault);
  f.a.start([&](Env& env) -> Task<void> {
    auto file = co_await env.disk.open("/f", OpenMode::create_new);
    REQUIRE(file);
    const auto written = co_await (*file)->write_at(0, "hello");
    CHECK(outcome(written) == "no space left");
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(f.a.disk().content("/f") == "hel");
}

}  // namespace postproof::sim
