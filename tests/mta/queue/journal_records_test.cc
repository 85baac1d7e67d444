// What records say, as octets: there and back; and whatever octets come, nothing but none.
#include "mta/queue/journal_records.h"

#include <doctest/doctest.h>

#include "tests/mta/queue/spool_world.h"

using namespace postproof;
using namespace postproof::queue;
using namespace postproof::queue::journal;

namespace {

MessageMeta some_meta() {
  MessageMeta meta;
  meta.message.id = MessageId::of(1, 77);
  meta.message.envelope = test::envelope({"bob@dest.example", "\"a b\"@other.example"});
  meta.message.envelope.body = BodyType::eight_bit;
  meta.message.arrived = WallTime{123456789ns};
  meta.message.header_size = 23;
  meta.message.body_size = 1'000'000'000'000;
  meta.message.bounce_of = MessageId{99};
  meta.body_in_file = true;
  meta.body_crc = 0xdeadbeef;
  return meta;
}

bool same(const MessageMeta& a, const MessageMeta& b) {
  return a.message.id == b.message.id && a.message.envelope == b.message.envelope &&
         a.message.arrived == b.message.arrived && a.message.header_size == b.message.header_size &&
         a.message.body_size == b.message.body_size && a.message.bounce_of == b.message.bounce_of &&
         a.body_in_file == b.body_in_file && a.body_crc == b.body_crc && a.content_lost == b.content_lost;
}

bool same(const Progress& a, const Progress& b) {
  return a.status == b.status && a.attempts == b.attempts && a.due == b.due && a.last == b.last;
}

MessageAndChanges some_report() {
  MessageAndChanges report;
  report.meta = some_meta();
  report.about = MessageId{99};
  report.changes.push_back(Change{1, encode_progress(test::progress(RecipientStatus::failed, 3))});
  report.changes.push_back(Change{0, encode_progress(test::progress(RecipientStatus::pending, 3))});
  return report;
}

}  // namespace

TEST_CASE("records: a commit there and back, with and without a sender") {
  MessageMeta meta = some_meta();
  auto decoded = decode_commit(encode_commit(meta));
  REQUIRE(decoded);
  CHECK(same(*decoded, meta));
  meta.message.envelope.sender.reset();
  meta.body_in_file = false;
  meta.content_lost = true;
  decoded = decode_commit(encode_commit(meta));
  REQUIRE(decoded);
  CHECK(same(*decoded, meta));
}

TEST_CASE("records: a commit with all that MAIL and RCPT may say") {
  MessageMeta meta = some_meta();
  Envelope& envelope = meta.message.envelope;
  envelope.utf8 = true;
  envelope.ret = Return::headers;
  envelope.id = "a+2Bb";
  envelope.submitter = "<>";
  envelope.priority = -9;
  envelope.deliver_by = DeliverBy{WallTime{5s}, true, true};
  envelope.hold_until = WallTime{7s};
  envelope.recipients[0].notify = Notify{true, true, false, true};
  envelope.recipients[1].original = "rfc822;bob";
  auto decoded = decode_commit(encode_commit(meta));
  REQUIRE(decoded);
  CHECK(same(*decoded, meta));
  // Each of them alone is enough to be kept.
  for (const auto& say : {+[](Envelope& e) { e.utf8 = true; }, +[](Envelope& e) { e.ret = Return::full; },
                          +[](Envelope& e) { e.id = "x"; }, +[](Envelope& e) { e.submitter = "x"; },
                          +[](Envelope& e) { e.priority = 3; }, +[](Envelope& e) { e.deliver_by = DeliverBy{}; },
                          +[](Envelope& e) { e.hold_until = WallTime{}; },
                          +[](Envelope& e) { e.recipients[1].notify.said = true; },
                          +[](Envelope& e) { e.recipients[0].original = "rfc822;x"; }}) {
    MessageMeta one = some_meta();
    say(one.message.envelope);
    decoded = decode_commit(encode_commit(one));
    REQUIRE(decoded);
    CHECK(same(*decoded, one));
    CHECK_FALSE(same(*decoded, some_meta()));
  }
}

TEST_CASE("records: progress there and back, with a reply, an error and nothing") {
  Progress progress = test::progress(RecipientStatus::pending, 7);
  auto decoded = decode_progress(encode_progress(progress));
  REQUIRE(decoded);
  CHECK(same(*decoded, progress));
  progress.last->what = smtp::Reply{451, std::nullopt, {"one", "", "three"}};
  decoded = decode_progress(encode_progress(progress));
  REQUIRE(decoded);
  CHECK(same(*decoded, progress));
  progress.last.reset();
  decoded = decode_progress(encode_progress(progress));
  REQUIRE(decoded);
  CHECK(same(*decoded, progress));
}

TEST_CASE("records: every error code has its number, which never changes") {
  for (int code = 0; code <= static_cast<int>(Errc::dns_temporary); ++code) {
    CAPTURE(code);
    Progress progress = test::progress(RecipientStatus::pending);
    progress.last->what = Error{static_cast<Errc>(code), "what"};
    const auto decoded = decode_progress(encode_progress(progress));
    REQUIRE(decoded);
    CHECK(same(*decoded, progress));
  }
  // Behind status, attempts, due, kind, stage, empty host and endpoint, and two times.
  Progress progress;
  progress.last = AttemptResult{};
  progress.last->what = Error{Errc::dns_temporary, ""};
  const std::string octets = encode_progress(progress);
  CHECK(static_cast<unsigned>(octets[octets.size() - 5]) == 23);
}

TEST_CASE("records: bounds, changes and reports there and back") {
  for (const Bounds& bounds : {Bounds{1ULL << 47, {}}, Bounds{7, {Cut{3, 4}, Cut{5, 1ULL << 33}}}}) {
    CHECK(decode_bounds(encode_bounds(bounds)) == bounds);
  }
  const MessageAndChanges report = some_report();
  CHECK(decode_changes(encode_changes(report.changes)) == report.changes);
  const auto decoded = decode_message_and_changes(encode_message_and_changes(report));
  REQUIRE(decoded);
  CHECK(same(decoded->meta, report.meta));
  CHECK(decoded->about == report.about);
  CHECK(decoded->changes == report.changes);
}

TEST_CASE("records: octets that are missing or too many give none") {
  const std::string whole = encode_message_and_changes(some_report());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(decode_message_and_changes(whole.substr(0, size)));
  }
  CHECK_FALSE(decode_message_and_changes(whole + '\0'));
  CHECK_FALSE(decode_commit(encode_commit(some_meta()) + "x"));
  CHECK_FALSE(decode_bounds("1234567"));
  CHECK_FALSE(decode_bounds(encode_bounds(Bounds{7, {Cut{3, 4}}}).substr(0, 20)));
  CHECK_FALSE(decode_bounds(encode_bounds(Bounds{7, {}}) + "x"));
}

TEST_CASE("records: hostile octets are refused or read, and never more than that") {
  // Every octet of a report set to extremes: lengths and counts that promise what is not there.
  const std::string whole = encode_message_and_changes(some_report());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const char octet : {'\xff', '\x7f', '\x80', '\x00'}) {
      std::string bad = whole;
      bad[i] = octet;
      const auto decoded = decode_message_and_changes(bad);
      if (!decoded) continue;
      CHECK(encode_message_and_changes(*decoded) == bad);
    }
  }
  CHECK_FALSE(decode_changes(std::string("\xff\xff\xff\xff", 4)));
}
