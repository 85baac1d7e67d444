// A crash at each disk operation: no acknowledged message is lost, none is there twice, no content is
// wrong, whatever the crash does to what was not synced.
#include <doctest/doctest.h>

#include <set>

#include "mta/base/limits.h"
#include "tests/mta/queue/spool_world.h"

using namespace postproof;
using namespace postproof::queue;
using namespace postproof::queue::test;

namespace {

struct Acked {
  std::map<MessageId, std::string> messages;  // acknowledged, and not finished
  std::set<MessageId> finished;               // their end was awaited and acknowledged
  std::set<MessageId> doubtful;               // their end was begun, and may be there or not
  std::set<MessageId> bounced;                // by an acknowledged bounce
};

// What an MTA does: takes messages of several sizes, finishes some, bounces one.
Task<void> work(JournalSpool& spool, Acked& acked, bool& lost_early) {
  for (const std::size_t size : {std::size_t{100}, limits::kInlineBody + 1000, std::size_t{20'000}}) {
    const std::string body = body_of(size);
    const auto id = co_await store(spool, body);
    if (!id) co_return;
    acked.messages[*id] = std::string(kHeader) + body;
  }
  std::vector<MessageId> ids;
  for (const auto& [id, content] : acked.messages) ids.push_back(id);
  // The start of a second attempt.
  std::vector<ProgressUpdate> start = update(RecipientStatus::pending, 2);
  const auto started = co_await spool.record(ids[0], std::move(start), std::nullopt, Durability::awaited);
  if (!started) co_return;
  lost_early = false;
  // Delivered, not awaited.
  acked.doubtful.insert(ids[1]);
  const auto delivered = co_await finish(spool, ids[1], RecipientStatus::delivered, Durability::soon);
  if (!delivered) co_return;
  // Failed, with a bounce.
  OwnMessage own;
  own.envelope.recipients.push_back(Recipient{address("alice@src.example")});
  own.content = body_of(5000, 7);
  own.bounce_of = ids[2];
  std::vector<ProgressUpdate> failed = update(RecipientStatus::failed);
  std::optional<OwnMessage> with = std::move(own);
  acked.doubtful.insert(ids[2]);
  const auto bounced = co_await spool.record(ids[2], std::move(failed), std::move(with), Durability::awaited);
  if (!bounced) co_return;
  acked.doubtful.erase(ids[2]);
  acked.finished.insert(ids[2]);
  acked.bounced.insert(ids[2]);
  const std::string last = body_of(300);
  const auto id = co_await store(spool, last);
  if (!id) co_return;
  acked.messages[*id] = std::string(kHeader) + last;
  acked.finished.insert(ids[1]);  // it was synced together with that
  acked.doubtful.erase(ids[1]);
}

void check(const Acked& acked, const std::map<MessageId, SpoolWorld::Found>& found) {
  std::set<MessageId> bounces_of;
  for (const auto& [id, one] : found) {
    const MessageId of = one.message.stored->bounce_of;
    if (of.value == 0) continue;
    CHECK(bounces_of.insert(of).second);
    CHECK_FALSE(found.contains(of));  // both or neither
    CHECK(one.content == body_of(5000, 7));
  }
  for (const MessageId id : acked.bounced) CHECK(bounces_of.contains(id));
  for (const auto& [id, content] : acked.messages) {
    CAPTURE(id.to_string());
    if (acked.finished.contains(id)) {
      CHECK_FALSE(found.contains(id));
    } else if (!acked.doubtful.contains(id)) {
      REQUIRE(found.contains(id));
    }
    if (found.contains(id)) CHECK(found.at(id).content == content);
  }
  for (const auto& [id, one] : found) CHECK_FALSE(one.content.starts_with("error"));
}

void crash_everywhere(sim::CrashLoss loss, std::uint64_t seed) {
  bool fired = true;
  std::uint64_t n = 1;
  for (; fired; ++n) {
    CAPTURE(n);
    SpoolWorld spools(seed);
    spools.node.disk().set_crash_loss(loss);
    spools.crash_at_operation(n);
    Acked acked;
    bool early = true;
    spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> { co_await work(spool, acked, early); });
    fired = spools.crashed;
    spools.no_more_crashes();
    const auto found = spools.recover();
    check(acked, found);
    if (!early && !found.empty()) {
      const auto& first = found.begin()->second.message;
      CHECK(first.progress.at(0).attempts == 2);
    }
    CHECK_FALSE(spools.told("trouble"));
    // What recovery made of it holds too.
    CHECK(spools.recover().size() == found.size());
    CHECK_FALSE(spools.told("trouble"));
  }
  CHECK(n > 20);
}

}  // namespace

TEST_CASE("crash at each disk operation: everything unsynced is lost") {
  crash_everywhere(sim::CrashLoss::lose_all, 1);
}
TEST_CASE("crash at each disk operation: everything unsynced stays") { crash_everywhere(sim::CrashLoss::keep_all, 1); }
TEST_CASE("crash at each disk operation: everything unsynced is torn") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    crash_everywhere(sim::CrashLoss::torn, seed);
  }
}

// A life that takes one message more, and acknowledges it if it comes so far.
void store_one_more(SpoolWorld& spools, Acked& acked, unsigned salt) {
  spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    const std::string body = body_of(700, salt);
    const auto id = co_await store(spool, body);
    if (id) acked.messages[*id] = std::string(kHeader) + body;
  });
}

// The first life ends at its operation `first`, the second and the third at operations spread over theirs; whatever
// was acknowledged is there, and nothing is told as damage.
void crash_again_and_again(sim::CrashLoss loss, std::uint64_t first, std::uint64_t step) {
  for (std::uint64_t n = 1, second_fired = 1; second_fired != 0; n += step) {
    for (std::uint64_t m = 1 + n % step, third_fired = 1; third_fired != 0; m += step + 1) {
      CAPTURE(n);
      CAPTURE(m);
      SpoolWorld spools(first + 7 * n + m);
      spools.node.disk().set_crash_loss(loss);
      Acked acked;
      bool early = true;
      spools.crash_at_operation(first);
      spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> { co_await work(spool, acked, early); });
      spools.no_more_crashes();
      spools.crash_at_operation(spools.node.disk().operations() + n);
      store_one_more(spools, acked, 21);
      second_fired = spools.crashed ? 1 : 0;
      spools.no_more_crashes();
      spools.crash_at_operation(spools.node.disk().operations() + m);
      store_one_more(spools, acked, 22);
      third_fired = spools.crashed ? 1 : 0;
      spools.no_more_crashes();
      check(acked, spools.recover());
      store_one_more(spools, acked, 23);
      check(acked, spools.recover());
      CHECK_FALSE(spools.told("trouble"));
    }
  }
}

TEST_CASE("crash in the life after a crash, and in the one after that") {
  // Where the first life ends: while the first segment is made, in the middle of its commits, in the last one.
  for (const std::uint64_t first : {14, 27, 40, 53}) {
    CAPTURE(first);
    crash_again_and_again(sim::CrashLoss::lose_all, first, 5);
    crash_again_and_again(sim::CrashLoss::keep_all, first, 6);
    crash_again_and_again(sim::CrashLoss::torn, first, 3);
  }
}

TEST_CASE("crash while the journal rolls on through segments") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    SpoolWorld spools(seed);
    spools.node.disk().set_crash_loss(seed % 3 == 0 ? sim::CrashLoss::lose_all : sim::CrashLoss::torn);
    spools.settings.segment_size = 64 * 1024;
    std::map<MessageId, std::string> alive;
    std::set<MessageId> doubtful;
    for (int life = 0; life < 3; ++life) {
      spools.crash_at_operation(spools.node.disk().operations() + 60 + seed * 7);
      spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
        for (unsigned i = 0; i < 200; ++i) {
          std::string body = body_of(3000 + i * 10, i);
          const auto id = co_await store(spool, body);
          if (!id) co_return;
          alive[*id] = std::string(kHeader) + body;
          if (i % 8 == 7) continue;  // lives long
          doubtful.insert(*id);
          const auto done = co_await finish(spool, *id, RecipientStatus::delivered, Durability::awaited);
          if (!done) co_return;
          doubtful.erase(*id);
          alive.erase(*id);
        }
      });
      spools.no_more_crashes();
      const auto found = spools.recover();
      for (const auto& [id, content] : alive) {
        if (!doubtful.contains(id)) REQUIRE(found.contains(id));
        if (found.contains(id)) CHECK(found.at(id).content == content);
      }
      for (const auto& [id, one] : found) {
        const bool unknown_commit = !alive.contains(id);
        if (unknown_commit) CHECK(one.content.starts_with(std::string(kHeader)));
      }
      CHECK_FALSE(spools.told("trouble"));
    }
  }
}
