// What the way between two hosts does to what crosses it, and where the network cuts a connection.
#include <algorithm>

#include "tests/sim/world/fixture.h"

namespace postproof::sim {

namespace {

// Host a says `text` to b, in one go, and reads b's answer "ok" (or what becomes of it); b notes each piece.
struct Talk {
  Talk() {
    f.b.start([this](Env& env) -> Task<void> {
      auto listener = env.network.listen(endpoint("10.0.0.2:25"));
      REQUIRE(listener);
      auto stream = co_await (*listener)->accept();
      REQUIRE(stream);
      std::size_t got = 0;
      while (got < wanted) {
        char buffer[100'000];
        const auto size = co_await (*stream)->read_some(buffer, kNever);
        diary.note(size ? "b reads " + std::to_string(*size) : "b: " + outcome(size));
        if (!size || *size == 0) co_return;
        got += *size;
      }
      const auto sent = co_await (*stream)->write_all("ok", kNever);
      if (!sent) diary.note("b writes: " + outcome(sent));
      const std::string rest = co_await read_to_end(**stream);
      diary.note("b at last " + rest);
    });
    f.a.start([this](Env& env) -> Task<void> {
      auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, MonoTime(1h));
      diary.note("a connects " + outcome(stream));
      if (!stream) co_return;
      const auto sent = co_await (*stream)->write_all(text, MonoTime(2h));
      if (!sent) diary.note("a writes: " + outcome(sent));
      char buffer[100];
      const auto size = co_await (*stream)->read_some(buffer, MonoTime(2h));
      diary.note(size ? "a reads " + std::string(buffer, *size) : "a: " + outcome(size));
    });
  }

  std::string run() {
    CHECK(f.run() == World::Stopped::idle);
    return diary.text;
  }
  SimNetwork& network() { return f.world.network(); }

  Fixture f;
  Diary diary{f.world};
  std::string text = "hello";
  std::size_t wanted = 5;
};

WayChange from_a() {
  WayChange change;
  change.from = "a";
  change.to = "b";
  return change;
}

}  // namespace

TEST_CASE("a bandwidth: packets leave one after the other, each when it has been sent") {
  Talk talk;
  talk.text = std::string(3000, 'x');
  talk.wanted = 3000;
  WayChange change = from_a();
  change.bandwidth = 1460;
  talk.network().add_way(change);
  CHECK(talk.run() ==
        "2ms a connects ok\n1.003s b reads 1460\n2.003s b reads 1460\n2.05779452s b reads 80\n2.05879452s a reads ok\n"
        "2.05979452s b at last <end>\n");
  const auto octets = talk.f.records<record::Octets>();
  REQUIRE(octets.size() == 4);
  CHECK(octets[1].first == 2002ms);
  CHECK(octets[1].second.arrives == 2003ms);
}

TEST_CASE("octet by octet, until that is over: then the rest comes at once") {
  Talk talk;
  WayChange change = from_a();
  change.bandwidth = 1;
  change.packet = 1;
  const auto id = talk.network().add_way(change);
  talk.f.world.at(2500ms, [&] { talk.network().remove_way(id); });
  CHECK(talk.run() ==
        "2ms a connects ok\n1.003s b reads 1\n2.003s b reads 1\n2.501s b reads 1\n2.501s b reads 1\n2.501s b reads 1\n"
        "2.502s a reads ok\n2.503s b at last <end>\n");
}

TEST_CASE("octets that are held leave when they are let go; dials are not held") {
  Talk talk;
  WayChange change = from_a();
  change.held = true;
  const auto id = talk.network().add_way(change);
  talk.f.world.at(1min, [&] { talk.network().remove_way(id); });
  CHECK(talk.run() == "2ms a connects ok\n1m1ms b reads 5\n1m2ms a reads ok\n1m3ms b at last <end>\n");
  CHECK(talk.f.records<record::Octets>().front().first == 1min);
}

TEST_CASE("a window that is closed lets no octet out; opened, the writer goes on") {
  Talk talk;
  WayChange change = from_a();
  change.window_closed = true;
  const auto id = talk.network().add_way(change);
  talk.f.world.at(1min, [&] { talk.network().remove_way(id); });
  CHECK(talk.run() == "2ms a connects ok\n1m1ms b reads 5\n1m2ms a reads ok\n1m3ms b at last <end>\n");
}

TEST_CASE("a partition of one way holds that way only") {
  Talk talk;
  talk.f.world.at(2500us, [&] { talk.network().partition_one_way("b", "a", true); });
  talk.f.world.at(1min, [&] { talk.network().partition_one_way("b", "a", false); });
  CHECK(talk.run() == "2ms a connects ok\n3ms b reads 5\n1m1ms a reads ok\n1m2ms b at last <end>\n");
}

TEST_CASE("a partition that was made twice is healed when it has been healed twice") {
  Talk talk;
  talk.network().partition("a", "b", true);
  talk.network().partition("b", "a", true);
  talk.f.world.at(1s, [&] { talk.network().partition("a", "b", false); });
  talk.f.world.at(2s, [&] { talk.network().partition("a", "b", false); });
  CHECK(talk.run().starts_with("2.002s a connects ok\n"));
}

TEST_CASE("lost packets are sent again after 1 s, 2 s, ..., and the recording tells when") {
  Talk talk;
  talk.text = std::string(60'000, 'x');
  talk.wanted = 60'000;
  WayChange change = from_a();
  change.loss = 0.5;
  talk.network().add_way(change);
  const std::string text = talk.run();
  CHECK(text.find("a reads ok") != std::string::npos);
  std::size_t resent = 0, twice = 0;
  for (const auto& [at, octets] : talk.f.records<record::Octets>()) {
    if (octets.resent.empty()) continue;
    ++resent;
    CHECK(octets.resent.front() == at + 1s);
    if (octets.resent.size() > 1) {
      ++twice;
      CHECK(octets.resent[1] == at + 3s);
    }
    CHECK(*octets.arrives >= octets.resent.back() + 1ms);
  }
  CHECK(resent > 5);
  CHECK(twice > 0);
}

TEST_CASE("jitter moves arrivals, and octets stay in order") {
  Talk talk;
  talk.text = std::string(60'000, 'x');
  talk.wanted = 60'000;
  WayChange change = from_a();
  change.jitter = 100ms;
  change.bandwidth = 1'000'000;
  talk.network().add_way(change);
  talk.run();
  Duration last{0};
  std::size_t moved = 0;
  for (const auto& [at, octets] : talk.f.records<record::Octets>()) {
    if (octets.from != Side::opener) continue;
    CHECK(*octets.arrives >= last);
    CHECK(*octets.arrives >= at + 1ms);
    CHECK(*octets.arrives <= std::max(last, at + 101ms));
    moved += *octets.arrives > at + 1ms ? 1 : 0;
    last = *octets.arrives;
  }
  CHECK(moved > 10);
}

TEST_CASE("a full backlog drops SYNs, which come again after 1, 2, 4, ... s") {
  Talk talk;
  talk.network().set_fault("b", HostFault::backlog);
  talk.f.world.at(10s, [&] { talk.network().set_fault("b", HostFault::none); });
  CHECK(talk.run().starts_with("15.006s a connects ok\n"));
}

TEST_CASE("what is behind a cut is recorded behind what waits before it") {
  Talk talk;
  WayChange change = from_a();
  change.bandwidth = 1;
  change.packet = 1;
  talk.network().add_way(change);
  talk.network().add_tap([](const Crossing&) -> std::optional<CutBehind> { return CutBehind{3, Cut::fin}; });
  talk.run();
  std::string sent;
  for (const auto& [at, octets] : talk.f.records<record::Octets>()) sent += octets.octets;
  CHECK(sent == "hello");
}

TEST_CASE("the network cuts a connection behind some octets: what passes, and what both sides see") {
  struct Case {
    Cut cut;
    std::string_view wanted;
  };
  const Case cases[] = {
      {Cut::reset, "2ms a connects ok\n3ms b reads 3\n3ms a: connection reset\n3ms b: connection reset\n"},
      {Cut::fin, "2ms a connects ok\n3ms b reads 3\n3ms b reads 0\n3ms a reads \n"},
      {Cut::half_close, "2ms a connects ok\n3ms b reads 3\n3ms b reads 0\n4ms a reads \n"},
  };
  for (const Case& it : cases) {
    CAPTURE(it.wanted);
    Talk talk;
    talk.network().add_tap([&](const Crossing& crossing) -> std::optional<CutBehind> {
      CHECK(crossing.sender() == "a");
      CHECK(crossing.receiver() == "b");
      CHECK(crossing.port == 25);
      return CutBehind{3, it.cut};
    });
    CHECK(talk.run() == it.wanted);
    const auto octets = talk.f.records<record::Octets>();
    REQUIRE(octets.size() == 2);
    CHECK(octets[0].second.octets == "hel");
    CHECK(octets[1].second.octets == "lo");
    CHECK_FALSE(octets[1].second.arrives);
    CHECK(talk.network().open_connections() == 0);
  }
}

}  // namespace postproof::sim
