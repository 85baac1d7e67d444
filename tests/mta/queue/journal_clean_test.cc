// The journal does not grow with what is done with: segments go, and what lives long is moved.
#include <doctest/doctest.h>

#include "mta/base/crc32c.h"
#include "mta/env/wakeup.h"
#include "mta/queue/journal_format.h"
#include "tests/mta/queue/spool_world.h"

using namespace postproof;
using namespace postproof::queue;
using namespace postproof::queue::test;

namespace {

// So much passes through, one message in `every` stays.
Task<void> churn(JournalSpool& spool, unsigned messages, unsigned every, std::map<MessageId, std::string>& alive) {
  for (unsigned i = 0; i < messages; ++i) {
    const std::string body = body_of(6000, i);
    const auto id = co_await store(spool, body);
    REQUIRE(id);
    if (i % every == 0) {
      alive[*id] = std::string(kHeader) + body;
    } else {
      const auto done = co_await finish(spool, *id, RecipientStatus::delivered, Durability::soon);
      REQUIRE(done);
    }
  }
}

}  // namespace

TEST_CASE("cleaning: segments of messages that are done with go") {
  SpoolWorld spools;
  spools.settings.segment_size = 64 * 1024;
  CHECK(spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    std::map<MessageId, std::string> none;
    co_await churn(spool, 300, 1000, none);
    REQUIRE(none.size() == 1);
    CHECK((co_await finish(spool, none.begin()->first, RecipientStatus::delivered, Durability::soon)).has_value());
    static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
    CHECK(spool.idle());
    CHECK(spools.files_under("/spool/journal").size() <= 2);
  }));
  CHECK(spools.recover().empty());
}

TEST_CASE("cleaning: what lives long is moved forward with its progress, and read while it moves") {
  SpoolWorld spools;
  spools.settings.segment_size = 64 * 1024;
  std::map<MessageId, std::string> alive;
  MessageId first;
  CHECK(spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    Envelope two = envelope({"a@dest.example", "b@dest.example"});
    first = (co_await store(spool, "the first", std::move(two))).value();
    alive[first] = std::string(kHeader) + "the first";
    std::vector<ProgressUpdate> updates = update(RecipientStatus::pending, 9, 1);
    CHECK((co_await spool.record(first, std::move(updates), std::nullopt, Durability::awaited)).has_value());
    for (int round = 0; round < 10; ++round) {
      co_await churn(spool, 60, 30, alive);
      for (const auto& [id, octets] : alive) CHECK((co_await content(spool, id)).value() == octets);
    }
    static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
  }));
  // 21 messages of 6 KB, and the slack.
  CHECK(spools.files_under("/spool/journal").size() < 12);
  CHECK_FALSE(spools.node.disk().content("/spool/journal/00000001").has_value());
  const auto found = spools.recover();
  CHECK(found.size() == alive.size());
  for (const auto& [id, octets] : alive) CHECK(found.at(id).content == octets);
  CHECK(found.at(first).message.progress.at(0).attempts == 0);
  CHECK(found.at(first).message.progress.at(1).attempts == 9);
}

TEST_CASE("cleaning: a record larger than a segment gets a segment of its own size") {
  SpoolWorld spools;
  spools.settings.segment_size = 64 * 1024;
  std::map<MessageId, std::string> stored;
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    for (const std::size_t size : {std::size_t{1000}, std::size_t{250'000}, std::size_t{1000}}) {
      const auto id = co_await store(spool, body_of(size));
      REQUIRE(id);
      stored[*id] = std::string(kHeader) + body_of(size);
    }
  }));
  const auto found = spools.recover();
  REQUIRE(found.size() == 3);
  for (const auto& [id, octets] : stored) CHECK(found.at(id).content == octets);
}

TEST_CASE("cleaning: records of types that we do not know are kept and moved on") {
  SpoolWorld spools;
  spools.settings.segment_size = 64 * 1024;
  std::map<MessageId, std::string> alive;
  CHECK(spools.with_spool(
      [&](Env&, JournalSpool& spool) -> Task<void> { CHECK((co_await store(spool, "one")).has_value()); }));
  // A record of type 900 behind what is there.
  std::string octets = spools.node.disk().content("/spool/journal/00000001").value();
  const auto segment = journal::decode_segment_header(octets.substr(0, journal::kSegmentHeaderSize)).value();
  const std::size_t end = (octets.find_last_not_of('\0', octets.size() - journal::kTailSize) + 8) / 8 * 8;
  journal::RecordHeader header;
  header.type = 900;
  header.id = MessageId{77};
  header.meta_size = 11;
  header.meta_crc = crc32c("from future");
  const std::string record = journal::encode(header, journal::salt_of(segment)) + "from future";
  octets.replace(end, record.size(), record);
  spools.node.disk().put("/spool/journal/00000001", octets);

  CHECK(spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    co_await churn(spool, 300, 1000, alive);
    static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
  }));
  CHECK_FALSE(spools.node.disk().content("/spool/journal/00000001").has_value());
  int kept = 0;
  for (const std::string& path : spools.files_under("/spool/journal")) {
    kept += spools.node.disk().content(path)->find("from future") != std::string::npos ? 1 : 0;
  }
  CHECK(kept == 1);
  CHECK(spools.recover().size() == 2);
}
