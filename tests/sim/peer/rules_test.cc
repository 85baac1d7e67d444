#include <doctest/doctest.h>

#include "tests/sim/peer/lab.h"

namespace postproof::sim {
namespace {

constexpr MonoTime kStart = MonoTime(1000s);

PeerEvent at(Duration when, std::string on, std::string argument = "", std::string sender = "a@b",
             std::string from = "192.0.2.1") {
  PeerEvent event;
  event.on = std::move(on);
  event.argument = std::move(argument);
  event.sender = std::move(sender);
  event.client = std::move(from);
  event.now = kStart + when;
  return event;
}

std::string reply(Behaviour& behaviour, const PeerEvent& event) {
  const auto action = behaviour.on(event);
  return action && !action->reply.empty() ? action->reply[0] : "";
}

TEST_CASE("the first rule that matches wins") {
  const auto rules = rule_behaviour({[] {
                                       Rule r = rule("RCPT", "550 gone");
                                       r.match = "gone@*";
                                       return r;
                                     }(),
                                     rule("RCPT", "450 any"), rule("RCPT", "never")},
                                    kStart);
  CHECK(reply(*rules, at(0s, "RCPT", "GONE@dest.example")) == "550 gone");
  CHECK(reply(*rules, at(0s, "RCPT", "else@dest.example")) == "450 any");
  CHECK(reply(*rules, at(0s, "MAIL", "gone@dest.example")) == "");
}

TEST_CASE("nth and times count what the rule itself matches") {
  Rule second = rule("RCPT", "450 second");
  second.match = "x@*";
  second.nth = 2;
  Rule twice = rule("RCPT", "451 twice");
  twice.times = 2;
  const auto rules = rule_behaviour({second, twice}, kStart);
  CHECK(reply(*rules, at(0s, "RCPT", "x@d")) == "451 twice");
  CHECK(reply(*rules, at(0s, "RCPT", "y@d")) == "451 twice");
  CHECK(reply(*rules, at(0s, "RCPT", "x@d")) == "450 second");
  CHECK(reply(*rules, at(0s, "RCPT", "x@d")) == "");
}

TEST_CASE("from and until are a window of virtual time") {
  Rule window = rule("connect", "421 down");
  window.from = 10s;
  window.until = 20s;
  const auto rules = rule_behaviour({window}, kStart);
  CHECK(reply(*rules, at(9999ms, "connect")) == "");
  CHECK(reply(*rules, at(10s, "connect")) == "421 down");
  CHECK(reply(*rules, at(19999ms, "connect")) == "421 down");
  CHECK(reply(*rules, at(20s, "connect")) == "");
}

TEST_CASE("greylisting remembers each triplet by itself") {
  Rule grey = rule("RCPT", "450 greylisted");
  grey.first_seen = 10min;
  const auto rules = rule_behaviour({grey}, kStart);
  CHECK(reply(*rules, at(0s, "RCPT", "x@d")) == "450 greylisted");
  CHECK(reply(*rules, at(599s, "RCPT", "X@d")) == "450 greylisted");
  CHECK(reply(*rules, at(599s, "RCPT", "y@d")) == "450 greylisted");
  CHECK(reply(*rules, at(600s, "RCPT", "x@d")) == "");
  CHECK(reply(*rules, at(600s, "RCPT", "x@d", "other@b")) == "450 greylisted");
  CHECK(reply(*rules, at(600s, "RCPT", "x@d", "a@b", "192.0.2.9")) == "450 greylisted");
  CHECK(reply(*rules, at(1198s, "RCPT", "y@d")) == "450 greylisted");
  CHECK(reply(*rules, at(1199s, "RCPT", "y@d")) == "");
}

TEST_CASE("a rule becomes an action") {
  using Act = Rule::Act;
  using Then = Action::Then;
  struct Case {
    std::string reply, raw;
    Duration delay;
    Act act;
    std::string_view fault;
    Then then;
    bool silent, no_answer;
  };
  const Case cases[] = {
      {"450 x", "", 0s, Act::reply, "smtp.reply", Then::go_on, false, false},
      {"450 x", "", 5s, Act::reply, "smtp.reply", Then::go_on, false, false},
      {"", "junk", 0s, Act::reply, "smtp.raw", Then::go_on, false, false},
      {"", "", 5s, Act::reply, "smtp.delay", Then::go_on, false, false},
      {"", "", 0s, Act::silence, "smtp.silence", Then::go_on, true, false},
      {"", "", 0s, Act::close, "smtp.close", Then::close, false, true},
      {"421 x", "", 0s, Act::close, "smtp.close", Then::close, false, false},
      {"", "", 0s, Act::reset, "smtp.reset", Then::reset, false, true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.fault);
    Rule one = rule("DATA", c.reply);
    one.raw = c.raw;
    one.delay = c.delay;
    one.act = c.act;
    one.take = false;
    const auto action = rule_behaviour({one}, kStart)->on(at(0s, "DATA"));
    REQUIRE(action);
    CHECK(action->fault == c.fault);
    CHECK(action->then == c.then);
    CHECK(action->silent == c.silent);
    CHECK(action->no_answer == c.no_answer);
    CHECK(action->delay == c.delay);
    CHECK(action->raw == c.raw);
    CHECK(action->line == 12);
    CHECK_FALSE(action->keep_message);
  }
}

}  // namespace
}  // namespace postproof::sim
