// The spool's promises without trouble: what goes in comes out, now and after a restart.
#include "mta/queue/journal_spool.h"

#include <doctest/doctest.h>

#include "mta/base/limits.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "tests/mta/queue/spool_world.h"

using namespace postproof;
using namespace postproof::queue;
using namespace postproof::queue::test;

TEST_CASE("spool: messages of every size are read back, at once and after a restart") {
  SpoolWorld spools;
  const std::vector<std::size_t> sizes{
      0, 1, 1000, 65536, limits::kInlineBody - 1, limits::kInlineBody, limits::kInlineBody + 1, 3'000'000};
  std::map<MessageId, std::string> stored;
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    for (const std::size_t size : sizes) {
      const std::string body = body_of(size);
      const auto id = co_await store(spool, body);
      REQUIRE(id);
      stored[*id] = std::string(kHeader) + body;
      for (const std::size_t piece : {std::size_t{1} << 23, std::size_t{65536}, std::size_t{40'001}}) {
        const auto octets = co_await content(spool, *id, piece);
        REQUIRE(octets);
        CHECK(*octets == stored[*id]);
      }
      const auto middle = co_await spool.read(*id, 10, 30);
      CHECK(middle.value() == stored[*id].substr(10, 30));
      const auto behind = co_await spool.read(*id, stored[*id].size() + 5, 30);
      CHECK(behind.value().empty());
    }
  }));
  CHECK(spools.files_under("/spool/bodies").size() == 2);

  const auto found = spools.recover();
  REQUIRE(found.size() == sizes.size());
  for (const auto& [id, octets] : stored) {
    REQUIRE(found.contains(id));
    CHECK(found.at(id).content == octets);
    const StoredMessage& message = *found.at(id).message.stored;
    CHECK(message.envelope == envelope());
    CHECK(message.arrived == WallTime{100s});
    CHECK(message.size() == octets.size());
    CHECK(found.at(id).message.progress.at(0).attempts == 0);
    CHECK(found.at(id).message.progress.at(0).due == WallTime{100s});
  }
  CHECK(spools.told("recovered: 8 messages in the queue"));
  CHECK_FALSE(spools.told("trouble"));
}

TEST_CASE("spool: progress is there after a restart, and who is done is gone") {
  SpoolWorld spools;
  MessageId kept, done, half;
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    kept = (co_await store(spool, "kept")).value();
    done = (co_await store(spool, body_of(300'000))).value();
    Envelope two = envelope({"a@dest.example", "b@dest.example"});
    half = (co_await store(spool, "half", std::move(two))).value();
    const auto finished = co_await finish(spool, done, RecipientStatus::delivered, Durability::soon);
    CHECK(finished);
    const auto gone = co_await spool.read(done, 0, 1);
    CHECK(gone.error().code == Errc::not_found);
    std::vector<ProgressUpdate> updates = update(RecipientStatus::delivered, 1, 1);
    const auto recorded = co_await spool.record(half, std::move(updates), std::nullopt, Durability::awaited);
    CHECK(recorded);
    const auto again = co_await finish(spool, done, RecipientStatus::delivered, Durability::soon);
    CHECK(again.error().code == Errc::not_found);
  }));
  CHECK(spools.files_under("/spool/bodies").empty());
  const auto found = spools.recover();
  REQUIRE(found.size() == 2);
  CHECK(found.at(kept).content == std::string(kHeader) + "kept");
  const auto& progress = found.at(half).message.progress;
  CHECK(progress.at(0).status == RecipientStatus::pending);
  CHECK(progress.at(0).attempts == 0);
  CHECK(progress.at(1).status == RecipientStatus::delivered);
  CHECK(progress.at(1).last == test::progress(RecipientStatus::delivered).last);
}

TEST_CASE("spool: a bounce and the progress that it stands for are stored as one") {
  for (const std::size_t size : {std::size_t{5000}, limits::kInlineBody + 1}) {
    CAPTURE(size);
    SpoolWorld spools;
    MessageId failed, bounce;
    CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
      failed = (co_await store(spool, "original")).value();
      OwnMessage own;
      own.envelope.recipients.push_back(Recipient{address("alice@src.example")});
      own.content = body_of(size);
      own.arrived = WallTime{200s};
      own.bounce_of = failed;
      std::vector<ProgressUpdate> updates = update(RecipientStatus::failed);
      std::optional<OwnMessage> with = std::move(own);
      const auto recorded = co_await spool.record(failed, std::move(updates), std::move(with), Durability::soon);
      REQUIRE(recorded);
      REQUIRE(*recorded);
      bounce = (*recorded)->id;
      const auto octets = co_await content(spool, bounce);
      CHECK(octets.value() == body_of(size));
    }));
    const auto found = spools.recover();
    REQUIRE(found.size() == 1);
    REQUIRE(found.contains(bounce));
    CHECK(found.at(bounce).content == body_of(size));
    CHECK(found.at(bounce).message.stored->bounce_of == failed);
    CHECK_FALSE(found.at(bounce).message.stored->envelope.sender);
  }
}

TEST_CASE("spool: what was begun and not committed leaves nothing") {
  SpoolWorld spools;
  CHECK(spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    for (const std::size_t size : {std::size_t{10}, std::size_t{400'000}}) {
      auto writer = co_await spool.begin();
      REQUIRE(writer);
      const auto written = co_await (*writer)->write(body_of(size));
      CHECK(written);
    }
    CHECK(co_await sleep_until(env, env.clock.mono() + 1s) == Woken::deadline);
    CHECK(spools.files_under("/spool/bodies").empty());
  }));
  CHECK(spools.recover().empty());
}

TEST_CASE("spool: ids are of this node, rise, and are never given out twice") {
  SpoolWorld spools;
  spools.settings.node = 0xabcd;
  std::vector<MessageId> ids;
  for (int life = 0; life < 3; ++life) {
    CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
      for (int i = 0; i < 3; ++i) {
        auto writer = co_await spool.begin();
        REQUIRE(writer);
        ids.push_back((*writer)->id());
      }
    }));
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CHECK(ids[i].node() == 0xabcd);
    if (i > 0) CHECK(ids[i - 1] < ids[i]);
  }
}

TEST_CASE("spool: ids go on behind what was reserved, and a crash gives none of them out again") {
  SpoolWorld spools;
  MessageId last;
  constexpr int kMoreThanOneBlock = 140'000;
  spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    for (int i = 0; i < kMoreThanOneBlock; ++i) {
      auto writer = co_await spool.begin();
      REQUIRE(writer);
      if ((*writer)->id() <= last) FAIL("given out twice");
      last = (*writer)->id();
    }
    spools.crashed = true;
    spools.node.crash_soon();
    static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
  });
  spools.no_more_crashes();
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    auto writer = co_await spool.begin();
    CHECK((*writer)->id() > last);
  }));
}

TEST_CASE("spool: everything that waits is synced together") {
  SpoolWorld spools;
  constexpr int kMessages = 200;
  CHECK(spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    const std::uint64_t before = spools.node.disk().operations();
    TaskGroup group(env.executor);
    int stored = 0;
    const std::function<Task<void>()> one = [&]() -> Task<void> {
      const auto id = co_await store(spool, "small");
      stored += id ? 1 : 0;
    };
    for (int i = 0; i < kMessages; ++i) group.spawn(one());
    co_await group.join();
    CHECK(stored == kMessages);
    CHECK(spools.node.disk().operations() - before <= 6);
  }));
  CHECK(spools.recover().size() == kMessages);
}

TEST_CASE("spool: what is not awaited is written at once, and synced within its delay") {
  SpoolWorld spools;
  for (const Duration wait : {5ms, 50ms}) {
    MessageId id;
    spools.crashed = true;  // run() is to end by one
    spools.run([&](Env& env) -> Task<void> {
      auto opened = co_await JournalSpool::open(env, spools.settings);
      REQUIRE(opened);
      id = (co_await store(**opened, "x")).value();
      const auto finished = co_await finish(**opened, id, RecipientStatus::delivered, Durability::soon);
      CHECK(finished);
      static_cast<void>(co_await sleep_until(env, env.clock.mono() + wait));
      spools.node.crash_soon();
      static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
      co_await (*opened)->close();
    });
    spools.crashed = false;
    CHECK(spools.recover().contains(id) == (wait == 5ms));
  }
}

TEST_CASE("spool: one process at a time, told by name") {
  SpoolWorld spools;
  CHECK(spools.with_spool([&](Env& env, JournalSpool&) -> Task<void> {
    const auto second = co_await JournalSpool::open(env, spools.settings);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::in_use);
    CHECK(second.error().what == "spool /spool is in use by another process");
    const auto listing = co_await read_queue(env, spools.settings);
    REQUIRE_FALSE(listing);
    CHECK(listing.error().code == Errc::in_use);
  }));
}

TEST_CASE("spool: the queue can be read while nobody has it, and is as before") {
  SpoolWorld spools;
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    for (int i = 0; i < 3; ++i) CHECK((co_await store(spool, "x")).has_value());
  }));
  const auto before = spools.files_under("/spool");
  for (int i = 0; i < 2; ++i) {
    CHECK(spools.run([&](Env& env) -> Task<void> {
      const auto listing = co_await read_queue(env, spools.settings);
      REQUIRE(listing);
      REQUIRE(listing->size() == 3);
      CHECK((*listing)[0].stored->id < (*listing)[1].stored->id);
    }));
  }
  CHECK(spools.files_under("/spool") == before);
  CHECK(spools.run([&](Env& env) -> Task<void> {
    SpoolSettings elsewhere;
    elsewhere.directory = "/elsewhere";
    const auto listing = co_await read_queue(env, elsewhere);
    REQUIRE_FALSE(listing);
    CHECK(listing.error().code == Errc::not_found);
  }));
}

TEST_CASE("spool: after close nothing is accepted") {
  SpoolWorld spools;
  CHECK(spools.run([&](Env& env) -> Task<void> {
    auto opened = co_await JournalSpool::open(env, spools.settings);
    REQUIRE(opened);
    auto writer = co_await (*opened)->begin();
    REQUIRE(writer);
    co_await (*opened)->close();
    const auto stored = co_await (*writer)->commit(envelope(), std::string(kHeader), WallTime{1s});
    REQUIRE_FALSE(stored);
    CHECK(stored.error().code == Errc::closed);
  }));
}
