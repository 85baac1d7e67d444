// PLAIN (RFC 4616).
#include "mta/auth/plain.h"

#include <doctest/doctest.h>

using namespace postproof::auth;

namespace {

std::string nul(std::string text) {
  for (char& c : text) {
    if (c == '|') c = '\0';
  }
  return text;
}

}  // namespace

TEST_CASE("plain: the examples of RFC 4616 section 4") {
  const auto tim = parse_plain(nul("|tim|tanstaaftanstaaf"));
  REQUIRE(tim.has_value());
  CHECK(tim->authzid.empty());
  CHECK(tim->login == "tim");
  CHECK(tim->password == "tanstaaftanstaaf");
  const auto kurt = parse_plain(nul("Ursel|Kurt|xipj3plmq"));
  REQUIRE(kurt.has_value());
  CHECK(kurt->authzid == "Ursel");
  CHECK(kurt->login == "Kurt");
  CHECK(kurt->password == "xipj3plmq");
  CHECK(plain_message("tim", "tanstaaftanstaaf") == nul("|tim|tanstaaftanstaaf"));
}

TEST_CASE("plain: two NULs, and a name and a password between and behind them") {
  for (const char* text : {"", "tim", "|tim", "|tim|", "||secret", "tim|secret", "|tim|sec|ret", "|||", "a|b|c|"}) {
    CAPTURE(text);
    CHECK(!parse_plain(nul(text)).has_value());
  }
}
