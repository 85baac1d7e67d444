// Attempt results as text, and whose recovery they wait for.
#include "mta/queue/attempt_result.h"

#include <doctest/doctest.h>

using namespace postproof;
using namespace postproof::queue;

TEST_CASE("attempt result: the host as people read it") {
  struct Case {
    const char* host;
    const char* endpoint;
    const char* text;
  };
  for (const Case& c : {Case{"", "", ""}, Case{"mx1.example.net", "", "mx1.example.net"},
                        Case{"mx1.example.net", "192.0.2.1:25", "mx1.example.net [192.0.2.1]:25"},
                        Case{"mx1.example.net", "[2001:db8::1]:25", "mx1.example.net [2001:db8::1]:25"},
                        Case{"[192.0.2.1]", "192.0.2.1:2525", "[192.0.2.1]:2525"}}) {
    AttemptResult result;
    result.host = c.host;
    result.endpoint = c.endpoint;
    CHECK(host_text(result) == c.text);
  }
}

TEST_CASE("attempt result: the reason has its octets as they came") {
  AttemptResult result;
  result.what = smtp::Reply{550, EnhancedStatus{5, 1, 1}, {"no such user", "\x1b[31mtry\nagain"}};
  CHECK(reason_text(result) == "550 5.1.1 no such user | \x1b[31mtry\nagain");
  result.what = Error{Errc::refused, "connect mx\r\n: refused"};
  CHECK(reason_text(result) == "connect mx\r\n: refused");
}

TEST_CASE("attempt result: what waits for the site, and what for the message") {
  const auto reply = [](Stage stage, int code) {
    AttemptResult result;
    result.stage = stage;
    result.what = smtp::Reply{code, {}, {"x"}};
    return waits_for_site(result);
  };
  const auto error = [](Stage stage, Errc code) {
    AttemptResult result;
    result.stage = stage;
    result.what = Error{code, "x"};
    return waits_for_site(result);
  };
  CHECK(reply(Stage::greeting, 554));
  CHECK(reply(Stage::ehlo, 450));
  CHECK(reply(Stage::rcpt, 421));
  CHECK_FALSE(reply(Stage::mail, 450));
  CHECK_FALSE(reply(Stage::rcpt, 450));
  CHECK_FALSE(reply(Stage::dot, 451));
  CHECK(error(Stage::connect, Errc::refused));
  CHECK(error(Stage::data, Errc::unexpected_eof));
  CHECK_FALSE(error(Stage::dot, Errc::timed_out));
  CHECK_FALSE(error(Stage::resolve, Errc::io));
}
