// Data that went bad: reported and set aside, and everything that can be read is kept.
#include <doctest/doctest.h>

#include "mta/env/wakeup.h"
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

std::size_t end_of_records(const std::string& segment) {
  return segment.find_last_not_of('\0', segment.size() - journal::kTailSize) + 1;
}

// The segment that holds these octets.
std::string holder_of(const SpoolWorld& spools, const std::string& octets) {
  for (const std::string& path : spools.files_under("/spool/journal")) {
    if (spools.node.disk().content(path)->find(octets) != std::string::npos) return path;
  }
  return {};
}

void overwrite(SpoolWorld& spools, const std::string& path, std::size_t at, std::size_t size, char with) {
  std::string octets = spools.node.disk().content(path).value();
  octets.replace(at, size, size, with);
  spools.node.disk().put(path, octets);
}

// A life in which the open segment is given up for a new one.
void start_new_segment(SpoolWorld& spools) {
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    sim::DiskFault broken;
    broken.operation = "write";
    broken.path = "/spool/journal/*";
    broken.count = 1;
    spools.node.disk().add_fault(std::move(broken));
    CHECK_FALSE((co_await store(spool, "lost")).has_value());
  }));
  spools.services.clear();
}

}  // namespace

TEST_CASE("damage: a segment of another version is refused, and nothing is changed") {
  SpoolWorld spools;
  fill(spools, 1);
  std::string octets = spools.node.disk().content(kFirst).value();
  octets.replace(0, journal::kSegmentHeaderSize, of_version(octets, 9));
  spools.node.disk().put(kFirst, octets);
  const auto before = spools.files_under("/spool");
  spools.run([&](Env& env) -> Task<void> {
    const auto opened = co_await JournalSpool::open(env, spools.settings);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::wrong_version);
    CHECK(opened.error().what ==
          "spool /spool: /spool/journal/00000001: its format is version 9; this program reads and writes version 2");
    const auto listing = co_await read_queue(env, spools.settings);
    CHECK(listing.error().code == Errc::wrong_version);
  });
  CHECK(spools.files_under("/spool") == before);
}

TEST_CASE("damage: a torn tail is cut, told, and no trouble") {
  SpoolWorld spools;
  const auto ids = fill(spools, 3);
  std::string octets = spools.node.disk().content(kFirst).value();
  const std::size_t end = end_of_records(octets);
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
  start_new_segment(spools);
  // In the next segment: one message ends, another is tried again; then its record of a fourth goes bad.
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    CHECK((co_await finish(spool, ids[0], RecipientStatus::delivered, Durability::awaited)).has_value());
    std::vector<ProgressUpdate> start = update(RecipientStatus::pending, 4);
    CHECK((co_await spool.record(ids[1], std::move(start), std::nullopt, Durability::awaited)).has_value());
    for (unsigned i = 10; i < 13; ++i) CHECK((co_await store(spool, body_of(2000, i))).has_value());
  }));
  const std::string second = holder_of(spools, body_of(2000, 11));
  REQUIRE(second != kFirst);
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

TEST_CASE("damage: an octet of a segment header that goes bad costs nothing") {
  for (const std::size_t at : {0, 8, 9, 16, 24, 32, 40, 60}) {
    for (const bool newest : {false, true}) {
      CAPTURE(at);
      CAPTURE(newest);
      SpoolWorld spools;
      spools.settings.segment_size = 64 * 1024;
      const auto ids = fill(spools, 12, 8000);
      const std::string path = newest ? holder_of(spools, body_of(8000, 11)) : kFirst;
      spools.node.disk().flip(path, at);
      for (int life = 0; life < 3; ++life) {
        CAPTURE(life);
        const auto found = spools.recover();
        REQUIRE(found.size() == 12);
        for (std::size_t i = 0; i < ids.size(); ++i) {
          CHECK(found.at(ids[i]).content == std::string(kHeader) + body_of(8000, static_cast<unsigned>(i)));
        }
        CHECK(spools.told("trouble: " + path + " is damaged and is set aside") == (life == 0));
        spools.services.clear();
      }
      CHECK(spools.node.disk().content(path + ".bad").has_value());
    }
  }
}

TEST_CASE("damage: the first sectors of a segment cost what stood in them") {
  SpoolWorld spools;
  spools.settings.segment_size = 64 * 1024;
  const auto ids = fill(spools, 12, 8000);
  overwrite(spools, kFirst, 0, 4096, '\0');
  const auto found = spools.recover();
  CHECK(found.size() == 11);
  CHECK_FALSE(found.contains(ids[0]));
  CHECK(spools.told("trouble: /spool/journal/00000001 is damaged"));
}

TEST_CASE("damage: an older segment that loses its end is told, and everything else is kept") {
  for (const char* how : {"zeros", "garbage", "cut"}) {
    CAPTURE(how);
    SpoolWorld spools;
    spools.settings.segment_size = 64 * 1024;
    const auto ids = fill(spools, 20, 8000);
    // The last message of the first segment.
    unsigned last = 0;
    while (holder_of(spools, body_of(8000, last + 1)) == kFirst) ++last;
    REQUIRE(last > 3);
    REQUIRE(last < 15);
    const std::size_t record = (find_content(spools, kFirst, last - 1, 8000) + 8000 + 7) / 8 * 8;
    if (std::string_view(how) == "cut") {
      spools.node.disk().put(kFirst, spools.node.disk().content(kFirst)->substr(0, record));
    } else {
      overwrite(spools, kFirst, record, 64 * 1024 - record, how[0] == 'z' ? '\0' : '\x5a');
    }
    for (int life = 0; life < 3; ++life) {
      CAPTURE(life);
      const auto found = spools.recover();
      CHECK(found.size() == 19);
      CHECK_FALSE(found.contains(ids[last]));
      CHECK(spools.told("trouble: /spool/journal/00000001 is damaged and is set aside") == (life == 0));
      spools.services.clear();
    }
    CHECK(spools.node.disk().content(std::string(kFirst) + ".bad").has_value());
  }
}

TEST_CASE("damage: an older segment that is blank or short is no leftover") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{64 * 1024}}) {
    CAPTURE(size);
    SpoolWorld spools;
    spools.settings.segment_size = 64 * 1024;
    fill(spools, 12, 8000);
    spools.node.disk().put(kFirst, std::string(size, '\0'));
    const auto found = spools.recover();
    CHECK(found.size() > 3);
    CHECK(found.size() < 12);
    CHECK(spools.told("trouble: /spool/journal/00000001 cannot be read and is set aside"));
    CHECK(spools.node.disk().content(std::string(kFirst) + ".bad").has_value());
  }
}

TEST_CASE("damage: what a later segment has declared void stays so when a segment goes bad") {
  SpoolWorld spools;
  fill(spools, 2);
  // A write that fails: the segment is given up, and the next says where it ends.
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    sim::DiskFault broken;
    broken.operation = "sync";
    broken.path = kFirst;
    broken.skip = 1;  // of the ids that this life reserves
    broken.count = 1;
    spools.node.disk().add_fault(std::move(broken));
    CHECK_FALSE((co_await store(spool, body_of(2000, 9))).has_value());
    for (unsigned i = 10; i < 13; ++i) CHECK((co_await store(spool, body_of(2000, i))).has_value());
  }));
  CHECK(find_content(spools, kFirst, 9) > 0);
  const std::string second = holder_of(spools, body_of(2000, 11));
  spools.node.disk().flip(second, find_content(spools, second, 11) + 5);
  for (int life = 0; life < 3; ++life) {
    CAPTURE(life);
    CHECK(spools.recover().size() == 5);
    CHECK(spools.told("trouble") == (life == 0));
    spools.services.clear();
  }
}

TEST_CASE("damage: bodies stay as long as a damaged segment may have named them, and no id is given out twice") {
  SpoolWorld spools;
  const auto ids = fill(spools, 3, 400'000);
  const std::string segment = spools.node.disk().content(kFirst).value();
  overwrite(spools, kFirst, 0, 64, '\x5a');
  overwrite(spools, kFirst, segment.size() - 64, 64, '\x5a');
  CHECK(spools.recover().empty());
  CHECK(spools.told("trouble: /spool/journal/00000001 cannot be read and is set aside"));
  CHECK(spools.files_under("/spool/bodies").size() == 3);
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    const auto id = co_await store(spool, body_of(400'000));
    REQUIRE(id);
    CHECK(*id > ids.back());
  }));
  CHECK(spools.files_under("/spool/bodies").size() == 4);
  spools.remove(std::string(kFirst) + ".bad");
  CHECK(spools.recover().size() == 1);
  CHECK(spools.files_under("/spool/bodies").size() == 1);
}

TEST_CASE("damage: in a segment that was made ahead it stops nothing") {
  for (const std::size_t at : {8, 9, 44}) {
    CAPTURE(at);
    SpoolWorld spools;
    fill(spools, 2);
    const std::string ahead = spools.files_under("/spool/journal").back();
    REQUIRE(ahead != kFirst);
    spools.node.disk().flip(ahead, at);
    CHECK(spools.recover().size() == 2);
    CHECK(spools.told("trouble: " + ahead));
    spools.services.clear();
    CHECK(spools.recover().size() == 2);
    CHECK_FALSE(spools.told("trouble"));
  }
}

TEST_CASE("damage: a folder where a segment should be is told, and set aside") {
  SpoolWorld spools;
  fill(spools, 2);
  spools.node.disk().make_directories("/spool/journal/00000009");
  CHECK(spools.recover().size() == 2);
  CHECK(spools.told("trouble: /spool/journal/00000009 cannot be read and is set aside: it is not a file"));
  spools.services.clear();
  CHECK(spools.recover().size() == 2);
  CHECK_FALSE(spools.told("trouble"));
}

TEST_CASE("damage: bad content of a sealed segment is found when it is read, told once, and never given out") {
  SpoolWorld spools;
  spools.settings.segment_size = 64 * 1024;
  const auto ids = fill(spools, 60, 8000);
  REQUIRE(spools.files_under("/spool/journal").size() > 5);
  spools.node.disk().flip(kFirst, find_content(spools, kFirst, 3, 8000) + 7999);
  CHECK(spools.with_spool([&](Env& env, JournalSpool& spool) -> Task<void> {
    const auto whole = co_await spool.read(ids[3], 0, 100'000);
    REQUIRE_FALSE(whole);
    CHECK(whole.error().code == Errc::corrupt);
    const auto part = co_await spool.read(ids[3], 0, 100);
    REQUIRE_FALSE(part);
    CHECK(part.error().code == Errc::corrupt);
    CHECK(part.error().what == "the content of message " + ids[3].to_string() + " was damaged in our storage");
    const auto other = co_await content(spool, ids[4]);
    CHECK(other.value() == std::string(kHeader) + body_of(8000, 4));
    for (const MessageId id : ids) {
      const auto done = co_await finish(spool, id, RecipientStatus::failed, Durability::soon);
      CHECK(done);
    }
    static_cast<void>(co_await sleep_until(env, env.clock.mono() + 1s));
  }));
  CHECK(spools.times_told("trouble") == 1);
  CHECK(spools.told("trouble: message " + ids[3].to_string() + " was damaged in storage, " + kFirst +
                    ": it does not check out; what is left is kept as " + kFirst + ".bad"));
  spools.services.clear();
  CHECK(spools.recover().empty());
  CHECK_FALSE(spools.told("trouble"));
  CHECK_FALSE(spools.node.disk().content(kFirst).has_value());
  CHECK(spools.node.disk().content(std::string(kFirst) + ".bad").has_value());
}

TEST_CASE("damage: a body file that went bad is kept; one that is short or away is told at start") {
  SpoolWorld spools;
  const auto ids = fill(spools, 3, 400'000);
  const auto bodies = spools.files_under("/spool/bodies");
  REQUIRE(bodies.size() == 3);
  spools.node.disk().flip(bodies[0], 399'999);
  spools.node.disk().put(bodies[1], "short");
  spools.remove(bodies[2]);
  CHECK(spools.with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
    CHECK(spools.times_told("trouble") == 2);
    CHECK(spools.told(bodies[1] + ": it has 5 octets of 400000; what is left is kept as " + bodies[1] + ".bad"));
    CHECK(spools.told(bodies[2] + ": it is gone"));
    for (const MessageId id : ids) {
      for (int again = 0; again < 2; ++again) {
        const auto read = co_await spool.read(id, 0, 65536);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == Errc::corrupt);
      }
    }
    CHECK(spools.times_told("trouble") == 3);
    for (const MessageId id : ids) {
      const auto done = co_await finish(spool, id, RecipientStatus::failed, Durability::awaited);
      CHECK(done);
    }
  }));
  CHECK(spools.recover().empty());
  CHECK(spools.files_under("/spool/bodies") == std::vector<std::string>{bodies[0] + ".bad", bodies[1] + ".bad"});
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
  start_new_segment(spools);
  start_new_segment(spools);
  CHECK(spools.node.disk().content("/spool/journal/00000010").has_value());
}

TEST_CASE("damage: any one bit of a journal flipped is no crash, and costs one message at most") {
  SpoolWorld fresh;
  fill(fresh, 4, 200);
  const std::string octets = fresh.node.disk().content(kFirst).value();
  const std::size_t end = end_of_records(octets);
  for (std::size_t at = 0; at < end; at += 7) {
    CAPTURE(at);
    SpoolWorld spools;
    spools.node.disk().put(kFirst, octets);
    spools.node.disk().flip(kFirst, at);
    const auto found = spools.recover();
    CHECK(found.size() >= (at >= journal::kSegmentHeaderSize ? 3 : 4));
    for (const auto& [id, one] : found) {
      const bool whole = one.content.size() == kHeader.size() + 200;
      if (!whole) CHECK(one.content.starts_with("error"));
    }
  }
}
