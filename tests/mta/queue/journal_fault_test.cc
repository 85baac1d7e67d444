// A disk that refuses: a commit that could not be made durable says so and does not come back, nothing
// that was acknowledged is lost, and the spool goes on when the disk does.
#include <doctest/doctest.h>

#include "mta/base/limits.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "tests/mta/queue/spool_world.h"

using namespace postproof;
using namespace postproof::queue;
using namespace postproof::queue::test;

namespace {

sim::DiskFault fault(std::string operation, std::string path, Errc error, std::optional<std::uint64_t> count,
                     bool partial = false) {
  sim::DiskFault fault;
  fault.operation = std::move(operation);
  fault.path = std::move(path);
  fault.error = error;
  fault.count = count;
  fault.partial = partial;
  return fault;
}

}  // namespace

TEST_CASE("disk faults: the commit under way fails, everything before and after is kept") {
  struct Case {
    const char* operation;
    const char* path;
    Errc error;
    bool partial;
    std::size_t body;
  };
  for (const Case& c :
       {Case{"sync", "/spool/journal/*", Errc::io, false, 500}, Case{"write", "/spool/journal/*", Errc::io, false, 500},
        Case{"write", "/spool/journal/*", Errc::no_space, true, 100'000},
        Case{"sync", "/spool/bodies/*", Errc::io, false, 400'000},
        Case{"write", "/spool/bodies/*", Errc::no_space, true, 400'000},
        Case{"open", "/spool/bodies/*", Errc::no_space, false, 400'000},
        Case{"sync_dir", "/spool/bodies", Errc::io, false, 400'000}}) {
    for (const sim::CrashLoss loss : {sim::CrashLoss::keep_all, sim::CrashLoss::lose_all}) {
      CAPTURE(c.operation);
      CAPTURE(c.path);
      SpoolWorld spools;
      spools.node.disk().set_crash_loss(loss);
      MessageId before, after;
      spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
        before = (co_await store(spool, "before")).value();
        spools.node.disk().add_fault(fault(c.operation, c.path, c.error, 1, c.partial));
        const auto failed = co_await store(spool, body_of(c.body));
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code == c.error);
        after = (co_await store(spool, body_of(c.body, 1))).value();
        CHECK((co_await content(spool, before)).value() == std::string(kHeader) + "before");
        // No orderly end: what is on the disk counts.
        spools.crashed = true;
        spools.node.crash_soon();
        static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
      });
      spools.no_more_crashes();
      const auto found = spools.recover();
      CHECK(found.size() == 2);
      CHECK(found.contains(before));
      REQUIRE(found.contains(after));
      CHECK(found.at(after).content == std::string(kHeader) + body_of(c.body, 1));
      CHECK(spools.files_under("/spool/bodies").size() == (c.body > limits::kInlineBody ? 1 : 0));
    }
  }
}

TEST_CASE("disk faults: what was answered but not synced is written again in the next segment") {
  for (const char* operation : {"sync", "write"}) {
    CAPTURE(operation);
    SpoolWorld spools;
    MessageId done, kept;
    spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
      done = (co_await store(spool, "done")).value();
      kept = (co_await store(spool, "kept")).value();
      CHECK((co_await finish(spool, done, RecipientStatus::delivered, Durability::soon)).has_value());
      spools.node.disk().add_fault(fault(operation, "/spool/journal/*", Errc::io, 1));
      const auto failed = co_await store(spool, "failed");
      CHECK_FALSE(failed);
      spools.crashed = true;
      spools.node.crash_soon();
      static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
    });
    spools.no_more_crashes();
    const auto found = spools.recover();
    CHECK(found.size() == 1);
    CHECK(found.contains(kept));
    CHECK(spools.told("recovered: the journal is written again, in segment 00000002"));
  }
}

TEST_CASE("disk faults: a disk that refuses for a while is told once, and the spool recovers by itself") {
  SpoolWorld spools;
  MessageId first, last;
  CHECK(spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    first = (co_await store(spool, "first")).value();
    const std::uint64_t broken = spools.node.disk().add_fault(fault("sync", "*", Errc::io, std::nullopt));
    const std::uint64_t full = spools.node.disk().add_fault(fault("allocate", "*", Errc::no_space, std::nullopt));
    for (int i = 0; i < 5; ++i) {
      const auto failed = co_await store(spool, "x");
      REQUIRE_FALSE(failed);
      CHECK(failed.error().code == (i == 0 ? Errc::io : Errc::no_space));
    }
    CHECK((co_await content(spool, first)).has_value());
    spools.node.disk().remove_fault(broken);
    spools.node.disk().remove_fault(full);
    // Without anybody's asking: the failed records are made void as soon as the disk lets us.
    static_cast<void>(co_await sleep_until(env, env.clock.mono() + 15s));
    CHECK(spools.told("recovered: the journal is written again"));
    last = (co_await store(spool, "last")).value();
  }));
  int troubles = 0;
  for (const std::string& service : spools.services) troubles += service.starts_with("trouble") ? 1 : 0;
  CHECK(troubles == 1);
  const auto found = spools.recover();
  CHECK(found.size() == 2);
  CHECK(found.contains(first));
  CHECK(found.contains(last));
}

TEST_CASE("disk faults: what is not awaited is kept while the disk refuses, and counts afterwards") {
  SpoolWorld spools;
  MessageId small, large, kept;
  CHECK(spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    small = (co_await store(spool, "small")).value();
    large = (co_await store(spool, body_of(300'000))).value();
    kept = (co_await store(spool, "kept")).value();
    const std::uint64_t broken = spools.node.disk().add_fault(fault("*", "*", Errc::io, std::nullopt));
    CHECK((co_await finish(spool, small, RecipientStatus::delivered, Durability::soon)).has_value());
    static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
    CHECK((co_await finish(spool, large, RecipientStatus::delivered, Durability::soon)).has_value());
    const auto awaited = co_await finish(spool, kept, RecipientStatus::delivered, Durability::awaited);
    CHECK_FALSE(awaited);
    CHECK(spool.idle());
    // The body may go only when it is certain that its message has.
    CHECK(spools.files_under("/spool/bodies").size() == 1);
    spools.node.disk().remove_fault(broken);
    static_cast<void>(co_await sleep_until(env, env.clock.mono() + 15s));
    CHECK(spools.files_under("/spool/bodies").empty());
  }));
  const auto found = spools.recover();
  CHECK(found.size() == 1);
  CHECK(found.contains(kept));
}

TEST_CASE("disk faults: a full disk refuses new segments, and the queue stays as it was") {
  SpoolWorld spools;
  spools.settings.segment_size = 128 * 1024;
  std::map<MessageId, std::string> stored;
  int refused = 0;
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    spools.node.disk().set_capacity(1024 * 1024);
    for (unsigned i = 0; i < 100; ++i) {
      const auto id = co_await store(spool, body_of(20'000, i));
      if (id) {
        stored[*id] = std::string(kHeader) + body_of(20'000, i);
      } else {
        CHECK(id.error().code == Errc::no_space);
        ++refused;
      }
    }
    CHECK((co_await spool.free_bytes()).value() < 128 * 1024);
    spools.node.disk().set_capacity(std::nullopt);
    const auto id = co_await store(spool, "again");
    REQUIRE(id);
    stored[*id] = std::string(kHeader) + "again";
  }));
  CHECK(refused > 50);
  CHECK(stored.size() > 10);
  const auto found = spools.recover();
  CHECK(found.size() == stored.size());
  for (const auto& [id, octets] : stored) CHECK(found.at(id).content == octets);
}

TEST_CASE("disk faults: a full disk keeps what comes in out, and lets what is there be settled") {
  SpoolWorld spools;
  spools.settings.segment_size = 64 * 1024;
  std::vector<MessageId> ids;
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    spools.node.disk().set_capacity(512 * 1024);
    for (;;) {
      const auto id = co_await store(spool, body_of(5000, static_cast<unsigned>(ids.size())));
      if (!id) {
        CHECK(id.error().code == Errc::no_space);
        break;
      }
      ids.push_back(*id);
    }
  }));
  REQUIRE(ids.size() > 20);
  CHECK(spools.times_told("trouble: no reserve for the journal") == 1);
  // Nothing is free, and nothing is needed to start.
  std::uint64_t used = 0;
  for (const std::string& path : spools.files_under("/")) used += spools.node.disk().content(path)->size();
  spools.node.disk().set_capacity(used);
  for (int life = 0; life < 3; ++life) {
    CAPTURE(life);
    CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
      for (int i = 0; i < 3; ++i) {
        const auto done = co_await finish(spool, ids.back(), RecipientStatus::delivered, Durability::awaited);
        CHECK(done);
        ids.pop_back();
      }
      for (const MessageId id : ids) CHECK((co_await content(spool, id)).has_value());
    }));
  }
  CHECK(spools.recover().size() == ids.size());
}

TEST_CASE("disk faults: with nothing to write to and a full disk, the spool comes up and goes on when there is room") {
  SpoolWorld spools;
  std::vector<MessageId> ids;
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    for (unsigned i = 0; i < 5; ++i) ids.push_back((co_await store(spool, body_of(3000, i))).value());
  }));
  // The only segment is damaged, and there is no reserve.
  const std::string segment = "/spool/journal/00000001";
  spools.node.disk().flip(segment, spools.node.disk().content(segment)->find(body_of(3000, 1)) + 10);
  spools.remove("/spool/journal/00000002");
  spools.services.clear();
  spools.node.disk().set_capacity(spools.node.disk().content(segment)->size());
  CHECK(spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    CHECK(spools.told("trouble: journal: "));
    CHECK(spools.told("trouble: damaged segments cannot be set aside yet"));
    CHECK((co_await content(spool, ids[0])).has_value());
    const auto refused = co_await store(spool, "new");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::no_space);
    CHECK((co_await finish(spool, ids[0], RecipientStatus::delivered, Durability::soon)).has_value());
    const auto start = co_await finish(spool, ids[2], RecipientStatus::delivered, Durability::awaited);
    CHECK(start.error().code == Errc::no_space);
    spools.node.disk().set_capacity(std::nullopt);
    static_cast<void>(co_await sleep_until(env, env.clock.mono() + 90s));
    CHECK(spools.told("recovered: the journal is written again"));
    ids.push_back((co_await store(spool, "new")).value());
  }));
  CHECK(spools.files_under(segment) == std::vector<std::string>{segment + ".bad"});
  const auto found = spools.recover();
  CHECK(found.size() == 5);
  CHECK_FALSE(found.contains(ids[0]));
  CHECK(found.contains(ids.back()));
}

TEST_CASE("disk faults: at each operation in turn, once: what was acknowledged is there, what was refused is not") {
  for (const Errc error : {Errc::io, Errc::no_space}) {
    bool fired = true;
    for (std::uint64_t skip = 0; fired; ++skip) {
      CAPTURE(skip);
      SpoolWorld spools;
      spools.node.disk().set_crash_loss(sim::CrashLoss::keep_all);
      spools.settings.segment_size = 64 * 1024;
      std::map<MessageId, std::string> acked;
      std::map<MessageId, std::string> refused;
      spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
        sim::DiskFault one = fault("*", "*", error, 1, true);
        one.skip = skip;
        const std::uint64_t operations = spools.node.disk().operations();
        const std::uint64_t added = spools.node.disk().add_fault(std::move(one));
        for (unsigned i = 0; i < 12; ++i) {
          auto writer = co_await spool.begin();
          if (!writer) continue;
          const MessageId id = (*writer)->id();
          const std::string body = body_of(i % 4 == 3 ? 300'000 : 12'000, i);
          Result<void> written{};
          for (std::size_t at = 0; written && at < body.size(); at += 65536)
            written = co_await (*writer)->write(body.substr(at, 65536));
          Result<std::shared_ptr<const StoredMessage>> stored = nullptr;
          if (written) stored = co_await (*writer)->commit(envelope(), std::string(kHeader), WallTime{1s});
          (written && stored ? acked : refused)[id] = std::string(kHeader) + body;
        }
        fired = spools.node.disk().operations() - operations > skip;
        spools.node.disk().remove_fault(added);
        spools.crashed = true;
        spools.node.crash_soon();
        static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
      });
      spools.no_more_crashes();
      const auto found = spools.recover();
      CHECK(found.size() == acked.size());
      for (const auto& [id, octets] : acked) {
        REQUIRE(found.contains(id));
        CHECK(found.at(id).content == octets);
      }
      for (const auto& [id, octets] : refused) CHECK_FALSE(found.contains(id));
    }
  }
}
