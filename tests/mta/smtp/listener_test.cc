// The listener: limits on sessions, trouble of accept, stop.
#include "mta/smtp/listener.h"

#include <doctest/doctest.h>

#include "tests/mta/smtp/test_intake.h"
#include "tests/mta/smtp/test_world.h"

using namespace postproof;
using namespace postproof::smtp;

namespace {

struct Site {
  explicit Site(unsigned sessions_max, unsigned per_client_max) : group(world.env().executor) {
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
