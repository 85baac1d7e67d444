// Who gets a lane: limits, turns, and that trouble somewhere does not take everything.
#include "mta/queue/lanes.h"

#include <doctest/doctest.h>

#include <vector>

using namespace postproof;
using namespace postproof::queue;

namespace {

class Book {
 public:
  explicit Book(LaneLimits limits) : lanes(limits) {}

  void add(const std::string& site, unsigned messages) {
    for (unsigned i = 0; i < messages; ++i) lanes.add(pointer(site), MessageId{++last_}, {0});
  }
  // Opens what may be opened; each lane takes one leg and works on it.
  std::map<std::string, unsigned> open() {
    while (const auto site = lanes.open_next()) {
      CHECK(lanes.take((*site)->key, true).has_value());
      ++working[(*site)->key];
    }
    return working;
  }
  void end(const std::string& site, bool trouble) {
    if (trouble) {
      lanes.note_trouble(site);
    } else {
      lanes.note_success(site);
    }
    lanes.ended(site, true);
    --working[site];
  }
  static Lanes::SitePointer pointer(const std::string& key) {
    route::Site site;
    site.key = key;
    return std::make_shared<const route::Site>(std::move(site));
  }

  Lanes lanes;
  std::map<std::string, unsigned> working;

 private:
  std::uint64_t last_ = 0;
};

}  // namespace

TEST_CASE("lanes: a site has no more than its limit, all sites no more than theirs") {
  Book book({3, 100});
  book.add("a", 10);
  CHECK(book.open()["a"] == 3);
  Book small({20, 2});
  small.add("a", 10);
  small.add("b", 10);
  const auto working = small.open();
  CHECK(working.at("a") == 1);
  CHECK(working.at("b") == 1);
}

TEST_CASE("lanes: no more lanes than messages, and none for a lane that is still to ask") {
  Book book({20, 100});
  book.add("a", 2);
  CHECK(book.lanes.open_next().has_value());
  CHECK(book.lanes.open_next().has_value());
  CHECK_FALSE(book.lanes.open_next().has_value());
  CHECK(book.lanes.take("a", true).has_value());
  CHECK_FALSE(book.lanes.open_next().has_value());
  CHECK(book.lanes.take("a", false).has_value());
  CHECK_FALSE(book.lanes.take("a", true).has_value());
  book.lanes.ended("a", true);
  CHECK_FALSE(book.lanes.idle());
  book.lanes.ended("a", true);
  CHECK(book.lanes.idle());
}

TEST_CASE("lanes: recipients of one message that wait for the same site go together") {
  Lanes lanes({20, 100});
  lanes.add(Book::pointer("a"), MessageId{1}, {0, 2});
  lanes.add(Book::pointer("a"), MessageId{2}, {0});
  lanes.add(Book::pointer("a"), MessageId{1}, {1});
  REQUIRE(lanes.open_next());
  const auto first = lanes.take("a", true);
  REQUIRE(first);
  CHECK(first->first == MessageId{1});
  CHECK(first->second == std::vector<std::size_t>{0, 2, 1});
  CHECK(lanes.take("a", false)->first == MessageId{2});
}

TEST_CASE("lanes: the last quarter is for sites that have none") {
  Book book({100, 100});
  book.add("big", 1000);
  CHECK(book.open()["big"] == 75);
  for (int i = 0; i < 30; ++i) book.add("small" + std::to_string(i), 5);
  const auto working = book.open();
  for (int i = 0; i < 25; ++i) CHECK(working.at("small" + std::to_string(i)) == 1);
  CHECK(book.lanes.lanes() == 100);
}

TEST_CASE("lanes: sites in trouble have half of all lanes at most, and others still get theirs") {
  Book book({20, 40});
  for (int i = 0; i < 100; ++i) {
    const std::string site = "dead" + std::to_string(i);
    book.add(site, 1);
    while (book.lanes.lanes() < 40 && book.lanes.open_next()) {
      CHECK(book.lanes.take(site, true).has_value());
    }
    book.working[site] = 1;
    book.end(site, true);
  }
  // Known as dead, and due again, all of them.
  for (int i = 0; i < 100; ++i) book.add("dead" + std::to_string(i), 3);
  book.open();
  CHECK(book.lanes.lanes() == 20);
  book.add("alive", 100);
  CHECK(book.open()["alive"] == 10);
  // It recovers: the limit on trouble is not for it any more.
  book.lanes.note_success("dead0");
  CHECK(book.lanes.lanes() == 30);
  book.end("alive", false);
  book.open();
  CHECK(book.lanes.lanes() >= 30);
}

TEST_CASE("lanes: a site that refuses more is asked for less, and for more as it takes it") {
  Book book({20, 100});
  book.add("a", 1000);
  CHECK(book.open()["a"] == 20);
  for (int i = 0; i < 8; ++i) book.end("a", true);
  CHECK(book.open()["a"] == 12);
  for (int i = 0; i < 12; ++i) book.end("a", false);
  CHECK(book.open()["a"] == 13);
  for (int i = 0; i < 13; ++i) book.end("a", true);
  CHECK(book.open()["a"] == Lanes::kInTroubleMin);
}

TEST_CASE("lanes: sites are served in turn") {
  Book book({2, 100});
  for (const char* site : {"a", "b", "c"}) book.add(site, 5);
  std::string order;
  while (const auto site = book.lanes.open_next()) {
    order += (*site)->key;
    CHECK(book.lanes.take((*site)->key, true).has_value());
  }
  CHECK(order == "abcabc");
}

TEST_CASE("lanes: what is remembered of trouble is limited") {
  Book book({20, 10});
  for (std::size_t i = 0; i < Lanes::kRememberedMax + 10; ++i) {
    const std::string site = "dead" + std::to_string(i);
    book.add(site, 1);
    REQUIRE(book.lanes.open_next());
    CHECK(book.lanes.take(site, true).has_value());
    book.lanes.note_trouble(site);
    book.lanes.ended(site, true);
  }
  CHECK(book.lanes.idle());
}

TEST_CASE("lanes: the most urgent message first, at its site and among sites that may have one lane") {
  Lanes lanes({1, 1});
  lanes.add(Book::pointer("a"), MessageId{1}, {0});
  lanes.add(Book::pointer("a"), MessageId{2}, {0}, -2);
  lanes.add(Book::pointer("a"), MessageId{3}, {0}, 5);
  lanes.add(Book::pointer("a"), MessageId{4}, {0}, 5);
  lanes.add(Book::pointer("b"), MessageId{5}, {0}, 6);
  std::vector<std::uint64_t> order;
  while (const auto site = lanes.open_next()) {
    const std::string key = (*site)->key;
    const auto taken = lanes.take(key, true);
    REQUIRE(taken);
    order.push_back(taken->first.value);
    lanes.ended(key, true);
  }
  CHECK(order == std::vector<std::uint64_t>{5, 3, 4, 1, 2});
}
