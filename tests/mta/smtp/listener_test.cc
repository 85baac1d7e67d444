// The listener: limits on sessions, trouble of accept, stop.
#include "mta/smtp/listener.h"

#include <doctest/doctest.h>

#include "tests/mta/smtp/test_intake.h"
#include "tests/mta/smtp/test_world.h"

using namespace postproof;
using namespace postproof::smtp;

namespace {

struct Site {
  Site(unsigned sessions_max, unsigned per_client_max) : group(world.env().executor) {
    settings.proxy_from = {*IpNetwork::parse("192.0.2.77")};
    settings.hostname = "mx.example.org";
    settings.sessions_max = sessions_max;
    settings.sessions_per_client_max = per_client_max;
    listener.emplace(world.env(), settings, factory, numbers);
    REQUIRE(listener->listen(test::TestWorld::endpoint("192.0.2.25:25")));
    group.spawn(listener->run());
    world.settle();
  }
  ~Site() {
    listener->stop();
    world.advance(1h);
    CHECK(group.size() == 0);
    CHECK(listener->size() == 0);
  }
  test::TestWorld::Wire dial(std::string_view from) { return *world.dial(test::TestWorld::endpoint(from)); }

  test::TestWorld world;
  ServerSettings settings;
  test::Store store;
  test::TestIntakeFactory factory{store};
  SessionNumbers numbers;
  TaskGroup group;
  std::optional<smtp::Listener> listener;
};

}  // namespace

TEST_CASE("limits on sessions, in all and of a client: Z01, F07") {
  Site site(3, 2);
  CHECK(site.listener->endpoints() == std::vector<Endpoint>{test::TestWorld::endpoint("192.0.2.25:25")});
  auto a1 = site.dial("192.0.2.1:1");
  auto a2 = site.dial("192.0.2.1:2");
  auto a3 = site.dial("192.0.2.1:3");
  CHECK(a1.received().starts_with("220 "));
  CHECK(a2.received().starts_with("220 "));
  CHECK(a3.received() == "421 4.7.0 mx.example.org has too many sessions of yours\r\n");
  CHECK(a3.closed());
  auto b1 = site.dial("[2001:db8::1]:1");
  auto c1 = site.dial("192.0.2.3:1");
  CHECK(b1.received().starts_with("220 "));
  CHECK(c1.received() == "421 4.3.2 mx.example.org has too many sessions, try again later\r\n");
  CHECK(site.listener->size() == 3);

  a1.say("QUIT\r\n");
  CHECK(site.listener->size() == 2);
  auto a4 = site.dial("192.0.2.1:4");
  CHECK(a4.received().starts_with("220 "));
  CHECK(site.world.events.front().starts_with("connect session=1 "));
}

TEST_CASE("stop: no more connections, sessions get their 421, run returns") {
  Site site(10, 10);
  auto idle = site.dial("192.0.2.1:1");
  auto other = site.dial("192.0.2.2:1");
  idle.received();
  site.listener->stop();
  CHECK(idle.received().starts_with("421 4.3.2 "));
  CHECK(idle.closed());
  CHECK(other.closed());
  site.world.settle();
  CHECK(site.group.size() == 0);
}

TEST_CASE("trouble of accept is told, and passes") {
  Site site(10, 10);
  auto first = site.dial("192.0.2.1:1");
  site.world.accept_error = Errc::io;
  auto second = site.dial("192.0.2.1:2");  // wakes the accept that was waiting already
  auto third = site.dial("192.0.2.1:3");
  bool told = false;
  for (const std::string& event : site.world.events) told |= event.contains("out of descriptors");
  CHECK(told);
  site.world.advance(2s);
  CHECK(third.received().starts_with("220 "));
}

TEST_CASE("a proxy's connection is the client's that its header names: AA07") {
  Site site(10, 1);
  const std::string header = "PROXY TCP4 198.51.100.7 192.0.2.25 1234 25\r\n";
  auto one = site.dial("192.0.2.77:1");
  CHECK(one.received() == "");
  one.send_by_octet(header);
  CHECK(one.received().starts_with("220 "));
  CHECK(site.world.events.front().contains("peer=198.51.100.7:1234"));
  CHECK(one.say("EHLO x\r\n").starts_with("250-"));
  // What is sent behind it at once is SMTP, and limits are those of the client.
  auto two = site.dial("192.0.2.77:2");
  CHECK(two.say(header + "EHLO x\r\n").starts_with("421 4.7.0 "));
  auto three = site.dial("192.0.2.77:3");
  const std::string other = "PROXY TCP4 198.51.100.8 192.0.2.25 1234 25\r\n";
  CHECK(three.say(other + "EHLO x\r\nQUIT\r\n").contains("\r\n221 "));
  one.say("QUIT\r\n");
  auto four = site.dial("192.0.2.77:4");
  CHECK(four.say(header).starts_with("220 "));
  // Its own.
  auto check = site.dial("192.0.2.77:5");
  CHECK(check.say("PROXY UNKNOWN\r\n").starts_with("220 "));
}

TEST_CASE("a proxy without a header gets no session, and nobody else may say one: AA07") {
  Site site(2, 10);
  for (const std::string& octets : {std::string("EHLO x\r\n"), std::string("PROXY TCP4 1 2 3 4\r\n"), std::string("\r\n\r\n\0x", 6)}) {
    auto wrong = site.dial("192.0.2.77:1");
    CHECK(wrong.say(octets) == "");
    CHECK(wrong.closed());
  }
  CHECK(site.world.events.back().contains("no PROXY header: malformed"));
  auto silent = site.dial("192.0.2.77:2");
  auto slow = site.dial("192.0.2.77:3");
  slow.send("PROXY TCP4");
  // Those whose header is awaited are counted.
  auto third = site.dial("192.0.2.9:1");
  CHECK(third.received().starts_with("421 4.3.2 "));
  site.world.advance(5s);
  CHECK(silent.closed());
  CHECK(slow.closed());
  CHECK(site.listener->size() == 0);
  auto gone = site.dial("192.0.2.77:4");
  gone.fin();
  CHECK(gone.closed());
  auto spoof = site.dial("192.0.2.9:2");
  CHECK(spoof.received().starts_with("220 "));
  CHECK(spoof.say("PROXY TCP4 10.0.0.1 192.0.2.25 1234 25\r\n").starts_with("500 "));
  auto waits = site.dial("192.0.2.77:5");
  site.listener->stop();
  site.world.settle();
  CHECK(waits.closed());
}
