// Which level of TLS a destination gets.
#include "mta/tls/policy.h"

#include <doctest/doctest.h>

using namespace postproof;
using tls::Level;

TEST_CASE("policy: the first rule that fits, else the level for all") {
  tls::Policy policy;
  policy.level = Level::require;
  policy.rules = {tls::Rule{{"old.example", "older.example"}, Level::none}, tls::Rule{{"*.old.example"}, Level::verify},
                  tls::Rule{{"*.example"}, Level::may}};
  struct Case {
    const char* domain;
    Level level;
  };
  for (const Case& c : {Case{"old.example", Level::none}, Case{"older.example", Level::none},
                        Case{"mx.old.example", Level::verify}, Case{"a.b.old.example", Level::verify},
                        Case{"veryold.example", Level::may}, Case{"example", Level::require}, Case{"", Level::require},
                        Case{"[192.0.2.1]", Level::require}}) {
    CAPTURE(c.domain);
    CHECK(policy.of(c.domain) == c.level);
  }
  CHECK(policy.uses(Level::require));
  CHECK(policy.uses(Level::verify));
  policy.rules.pop_back();
  CHECK_FALSE(policy.uses(Level::may));
}

TEST_CASE("levels as words") {
  for (const Level level : {Level::none, Level::may, Level::require, Level::verify}) {
    CHECK(tls::parse_level(tls::to_string(level)) == level);
  }
  CHECK_FALSE(tls::parse_level("must"));
}
