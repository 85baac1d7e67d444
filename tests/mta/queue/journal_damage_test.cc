// Data that went bad: reported and set aside, and everything that can be read is kept.
#include <doctest/doctest.h>

#include "mta/queue/journal_format.h"
#include "tests/mta/queue/spool_world.h"

using namespace postproof;
using namespace postproof::queue;
using namespace postproof::queue::test;

namespace {

constexpr const char* kFirst = "/spool/journal/00000001";

// Some messages in one life, each with its own content.
std::vector<MessageId> fill(SpoolWorld& spools, int messages, std::size_t size = 2000) {
  std::vector<MessageId> ids;
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    for (int i = 0; i < messages; ++i) {
      const auto id = co_await store(spool, body_of(size, static_cast<unsigned>(i)));
      REQUIRE(id);
      ids.push_back(*id);
    }
  }));
  return ids;
}

// Where the content of the message stands in the segment.
std::size_t find_content(SpoolWorld& spools, const std::string& path, unsigned salt, std::size_t size = 2000) {
  const std::string octets = spools.node.disk().content(path).value();
  const std::size_t at = octets.find(body_of(size, salt));
  REQUIRE(at != std::string::npos);
  return at;
}

}  // namespace

TEST_CASE("damage: a segment of another version is refused, and nothing is changed") {
  SpoolWorld spools;
  fill(spools, 1);
  std::string octets = spools.node.disk().content(kFirst).value();
  octets[8] = 2;
  spools.node.disk().put(kFirst, octets);
  const auto before = spools.files_under("/spool");
  spools.run([&](Env& env) -> Task<void> {
    const auto opened = co_await JournalSpool::open(env, spools.settings);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::wrong_version);
    CHECK(opened.error().what ==
          "spool /spool: /spool/journal/00000001: its format is version 2; this program reads and writes version 1");
    const auto listing = co_await read_queue(env, spools.settings);
    CHECK(listing.error().code == Errc::wrong_version);
  });
  CHECK(spools.files_under("/spool") == before);
}

TEST_CASE("damage: a torn tail is cut, told, and no trouble") {
  SpoolWorld spools;
  const auto ids = fill(spools, 3);
  std::string octets = spools.node.disk().content(kFirst).value();
  const std::size_t end = octets.find_last_not_of('\0') + 1;
  // A write that was cut in its middle: half of the last record again, behind the end.
  const std::size_t aligned = (end + 7) / 8 * 8;
  octets.replace(aligned, 500, octets.substr(aligned - 1000, 500));
  spools.node.disk().put(kFirst, octets);
  CHECK(spools.recover().size() == 3);
  CHECK(spools.told("recovered: /spool/journal/00000001 ends in a torn tail"));
  CHECK_FALSE(spools.told("trouble"));
  spools.services.clear();
  CHECK(spools.recover().size() == 3);
  CHECK_FALSE(spools.told("torn"));
}

TEST_CASE("damage: bad content in the middle costs that content alone, and its sender will be told") {
  SpoolWorld spools;
  const auto ids = fill(spools, 5);
  spools.node.disk().flip(kFirst, find_content(spools, kFirst, 2) + 100);
  for (int life = 0; life < 3; ++life) {
    CAPTURE(life);
    const auto found = spools.recover();
    REQUIRE(found.size() == 5);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::string& content = found.at(ids[i]).content;
      if (i == 2) {
        CHECK(content.starts_with("error: the content of message"));
      } else {
        CHECK(content == std::string(kHeader) + body_of(2000, static_cast<unsigned>(i)));
      }
    }
    CHECK(spools.told("trouble: /spool/journal/00000001 is damaged and is set aside") == (life == 0));
    spools.services.clear();
  }
  const auto files = spools.files_under("/spool/journal/00000001");
  CHECK(files == std::vector<std::string>{"/spool/journal/00000001.bad"});
}

TEST_CASE("damage: a bad record header in the middle costs that record alone") {
  SpoolWorld spools;
  const auto ids = fill(spools, 5);
  const std::size_t content = find_content(spools, kFirst, 2);
  const std::string octets = spools.node.disk().content(kFirst).value();
  // The record begins where the one before ends.
  const std::size_t before = find_content(spools, kFirst, 1) + 2000;
  const std::size_t header = (before + 7) / 8 * 8;
  REQUIRE(header < content);
  spools.node.disk().flip(kFirst, header + 4);
  const auto found = spools.recover();
  CHECK(found.size() == 4);
  CHECK_FALSE(found.contains(ids[2]));
  CHECK(spools.told("no record where one should be"));
  CHECK(spools.recover().size() == 4);
}

TEST_CASE("damage: what a bad segment said of older messages is said again before it goes") {
  SpoolWorld spools;
  const auto ids = fill(spools, 3);
  // In the second segment: one message ends, another is tried again; then its record of a fourth goes bad.
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    CHECK((co_await finish(spool, ids[0], RecipientStatus::delivered, Durability::awaited)).has_value());
    std::vector<ProgressUpdate> start = update(RecipientStatus::pending, 4);
    CHECK((co_await spool.record(ids[1], std::move(start), std::nullopt, Durability::awaited)).has_value());
    for (unsigned i = 10; i < 13; ++i) CHECK((co_await store(spool, body_of(2000, i))).has_value());
  }));
  const char* second = "/spool/journal/00000002";
  spools.node.disk().flip(second, find_content(spools, second, 11) + 5);
  for (int life = 0; life < 3; ++life) {
    CAPTURE(life);
    const auto found = spools.recover();
    CHECK(found.size() == 5);
    CHECK_FALSE(found.contains(ids[0]));
    REQUIRE(found.contains(ids[1]));
    CHECK(found.at(ids[1]).message.progress.at(0).attempts == 4);
  }
  CHECK(spools.files_under("/spool/journal").size() < 6);
}

TEST_CASE("damage: a segment without a readable header is set aside whole") {
  SpoolWorld spools;
  fill(spools, 2);
  const auto later = fill(spools, 1);
  spools.node.disk().flip(kFirst, 30);
  const auto found = spools.recover();
  CHECK(found.size() == 1);
  CHECK(found.contains(later[0]));
  CHECK(spools.told("trouble: /spool/journal/00000001 cannot be read and is set aside"));
  CHECK(spools.files_under("/spool/journal/00000001") == std::vector<std::string>{"/spool/journal/00000001.bad"});
}

TEST_CASE("damage: bad content of a sealed segment is found when it is read, and never given out") {
  SpoolWorld spools;
  spools.settings.segment_size = 64 * 1024;
  const auto ids = fill(spools, 60, 8000);
  REQUIRE(spools.files_under("/spool/journal").size() > 5);
  spools.node.disk().flip(kFirst, find_content(spools, kFirst, 3, 8000) + 7999);
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    const auto whole = co_await spool.read(ids[3], 0, 100'000);
    REQUIRE_FALSE(whole);
    CHECK(whole.error().code == Errc::corrupt);
    const auto part = co_await spool.read(ids[3], 0, 100);
    REQUIRE_FALSE(part);
    CHECK(part.error().code == Errc::corrupt);
    const auto other = co_await content(spool, ids[4]);
    CHECK(other.value() == std::string(kHeader) + body_of(8000, 4));
  }));
}

TEST_CASE("damage: a body file that went bad or away keeps its message, and gives no content") {
  SpoolWorld spools;
  const auto ids = fill(spools, 2, 400'000);
  const auto bodies = spools.files_under("/spool/bodies");
  REQUIRE(bodies.size() == 2);
  spools.node.disk().flip(bodies[0], 399'999);
  spools.node.disk().put(bodies[1], "short");
  const auto found = spools.recover();
  REQUIRE(found.size() == 2);
  CHECK(found.at(ids[0]).content.starts_with("error: the content of message"));
  CHECK(found.at(ids[1]).content.starts_with("error: "));
}

TEST_CASE("damage: files that are not ours are left alone") {
  SpoolWorld spools;
  fill(spools, 1);
  for (const char* path : {"/spool/journal/README", "/spool/journal/00000009.bad", "/spool/bodies/notes.txt"}) {
    spools.node.disk().put(path, "x");
  }
  CHECK(spools.recover().size() == 1);
  for (const char* path : {"/spool/journal/README", "/spool/journal/00000009.bad", "/spool/bodies/notes.txt"}) {
    CHECK(spools.node.disk().content(path).has_value());
  }
  // Numbers go on behind what was set aside.
  CHECK(spools.node.disk().content("/spool/journal/00000010").has_value());
}

TEST_CASE("damage: any one bit of a journal flipped is no crash, and costs one message at most") {
  SpoolWorld fresh;
  fill(fresh, 4, 200);
  const std::string octets = fresh.node.disk().content(kFirst).value();
  const std::size_t end = octets.find_last_not_of('\0') + 1;
  for (std::size_t at = 0; at < end; at += 7) {
    CAPTURE(at);
    SpoolWorld spools;
    spools.node.disk().put(kFirst, octets);
    spools.node.disk().flip(kFirst, at);
    if (at < 16) continue;  // magic and version: refused or set aside, see above
    const auto found = spools.recover();
    if (at >= journal::kSegmentHeaderSize) CHECK(found.size() >= 3);
    for (const auto& [id, one] : found) {
      const bool whole = one.content.size() == kHeader.size() + 200;
      if (!whole) CHECK(one.content.starts_with("error"));
    }
  }
}
