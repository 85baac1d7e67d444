#include <doctest/doctest.h>

#include "tests/sim/peer/lab.h"

namespace postproof::sim {
namespace {

TEST_CASE("the first step that fails is told, with what came instead") {
  struct Case {
    std::string_view script, failure;
  };
  const Case cases[] = {
      {"< 250", "client:1: wanted \"250\", got \"220 mx1.dest.example ESMTP ready\"\n"},
      {"< 220\n> EHLO c\n< 250 PIPELINING",
       "client:3: wanted \"250 PIPELINING\", got \"250-mx1.dest.example | 250-PIPELINING | "},
      {"< 220\n> EHLO c\n< 250-PIPELINING\n", ""},  // any line of the reply will do
      {"< 220\n! silence 1m\n> QUIT\n! silence 1s\n", "client:4: wanted silence for 1s, got \"221 2.0.0 "},
      {"< 220\n> QUIT\n< 221\n! silence 1s\n", "client:4: wanted silence for 1s, got the other side has closed\n"},
      {"< 220\n! eof within 1m\n", "client:2: wanted the other side to close within 1m, got timed out"},
      {"< 220\n> QUIT\n! eof within 1m\n", ""},
      {"< 220\n> QUIT\n< 221\n< 250\n", "client:4: wanted \"250\", got connection closed by peer"},
      {"< 220\n! half-close\n! eof within 1m\n", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.script);
    Lab lab;
    lab.serve();
    lab.talk(std::string(c.script));
    lab.run();
    if (c.failure.empty()) {
      CHECK(lab.script_failures() == "");
    } else {
      CHECK_MESSAGE(lab.script_failures().starts_with(c.failure), lab.script_failures());
    }
    CHECK(lab.peer->sessions() == 0);
  }
}

TEST_CASE("a connection that cannot be made fails the first step") {
  Lab lab;
  lab.talk("# comment\n< 220\n");
  lab.run();
  CHECK(lab.script_failures().starts_with("client:2: wanted a connection to 192.0.2.2:25, got "));
}

TEST_CASE("what is handed over is seen on the wire, whatever the script calls it") {
  Lab lab;
  lab.serve();
  lab.talk(R"(
< 220
> EHLO c.example
< 250
>> "MAIL FROM:<a@src.example>\r\nRCPT TO:<b@dest.example>\r\nDATA\r\n"
< 250
< 250
< 354
>> "one\n.\nMAIL FROM:<evil@src.example>\r\n.\r\n"
! wait 1s
! close
)");
  lab.run();
  CHECK(lab.script_failures() == "");
  const auto told = lab.all<record::ClientMessage>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].content == "one\n.\nMAIL FROM:<evil@src.example>\r\n");
  // The reply was not read, so that nobody has been told.
  CHECK(told[0].reply == "");
  CHECK_FALSE(told[0].acknowledged);
  CHECK(lab.all<record::PeerMessage>()[0].accepted);
}

}  // namespace
}  // namespace postproof::sim
