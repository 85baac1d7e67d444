// XCLIENT's arguments: what each attribute may be, and that nothing is taken of a line that is wrong.
#include "mta/smtp/xclient.h"

#include <doctest/doctest.h>

#include <vector>

#include "mta/smtp/intake.h"

using namespace postproof;
using namespace postproof::smtp;

namespace {

SessionInfo session() {
  SessionInfo info;
  info.peer = *Endpoint::parse("192.0.2.1:40000");
  info.peer_name = "before.example";
  info.local = *Endpoint::parse("192.0.2.25:25");
  info.helo = "before";
  return info;
}

// "PEER NAME LOCAL HELO ESMTP" behind it; the error otherwise.
std::string applied(std::string_view arguments) {
  const auto attributes = parse_xclient(arguments);
  if (!attributes) return attributes.error();
  SessionInfo info = session();
  attributes->apply(info);
  return info.peer.to_string() + " " + info.peer_name + " " + info.local.to_string() + " " + info.helo + " " +
         (info.esmtp ? "esmtp" : "smtp") + (info.login.empty() ? "" : " as " + info.login);
}

}  // namespace

TEST_CASE("xclient: what is said, and what stays") {
  struct Case {
    std::string_view arguments, want;
  };
  const std::vector<Case> cases = {
      {"ADDR=198.51.100.7", "198.51.100.7:0  192.0.2.25:25 before smtp"},
      {"addr=198.51.100.7 port=99", "198.51.100.7:99  192.0.2.25:25 before smtp"},
      {"PORT=99", "192.0.2.1:99 before.example 192.0.2.25:25 before smtp"},
      {"ADDR=IPV6:2001:db8::7 NAME=six.example", "[2001:db8::7]:0 six.example 192.0.2.25:25 before smtp"},
      {"ADDR=::ffff:198.51.100.7", "198.51.100.7:0  192.0.2.25:25 before smtp"},
      {"ADDR=2001:db8::7", "[2001:db8::7]:0  192.0.2.25:25 before smtp"},
      {"ADDR=[UNAVAILABLE] NAME=[TEMPUNAVAIL]", "0.0.0.0:0  192.0.2.25:25 before smtp"},
      {"NAME=a.example", "192.0.2.1:40000 a.example 192.0.2.25:25 before smtp"},
      {"HELO=me.example", "192.0.2.1:40000 before.example 192.0.2.25:25 me.example esmtp"},
      {"HELO=a+20b PROTO=SMTP", "192.0.2.1:40000 before.example 192.0.2.25:25 a b smtp"},
      {"HELO=[UNAVAILABLE] PROTO=ESMTP", "192.0.2.1:40000 before.example 192.0.2.25:25  smtp"},
      {"LOGIN=alice+40src.example", "192.0.2.1:40000 before.example 192.0.2.25:25 before smtp as alice@src.example"},
      {"LOGIN=[UNAVAILABLE]", "192.0.2.1:40000 before.example 192.0.2.25:25 before smtp"},
      {"DESTADDR=192.0.2.99 DESTPORT=587", "192.0.2.1:40000 before.example 192.0.2.99:587 before smtp"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.arguments);
    CHECK(applied(c.arguments) == c.want);
  }
}

TEST_CASE("xclient: what is refused") {
  for (const std::string_view arguments :
       {"", "ADDR", "ADDR=", "ADDR=1.2.3", "ADDR=IPV6:192.0.2.1", "ADDR=198.51.100.7 PORT=65536", "PORT=-1", "PORT=",
        "PROTO=LMTP", "NAME=a..b", "NAME=a+0D+0Ab", "HELO=", "HELO=a+0D+0AMAIL", "HELO=a+00", "HELO=+C3+BC", "HELO=a+2",
        "HELO=a=b", "LOGIN=", "LOGIN=a+0D+0A", "PORT=1 port=2", "COLOUR=red", "ADDR=198.51.100.7 COLOUR=red", "=x", "NAME=[unknown]"}) {
    CAPTURE(arguments);
    CHECK_FALSE(parse_xclient(arguments));
  }
}
