#include <doctest/doctest.h>

#include "tests/sim/peer/lab.h"

namespace postproof::sim {
namespace {

constexpr std::string_view kServer = R"(> 220 raw
< EHLO
>> "250-raw\r\n250 8BITMIME\r\n"
< MAIL FROM:<a@src.example>
> 250 ok
< RCPT
> 250 ok
< DATA
> 354 go
! drain
)";

TEST_CASE("a scripted server takes a message octet for octet") {
  Lab lab;
  lab.serve_script(std::string(kServer) + "> 250 got it\n< QUIT\n> 221 bye\n");
  lab.submit({{0s, message({"b@dest.example"}, "Subject: x\n\n.dot\n")}, {1min, message()}});
  lab.run();
  CHECK(lab.script_failures() == "");
  const auto kept = lab.all<record::PeerMessage>();
  REQUIRE(kept.size() == 2);  // each connection follows the dialogue from its begin
  CHECK(kept[0].helo == "client.example");
  CHECK(kept[0].sender == "a@src.example");
  CHECK(kept[0].recipients == std::vector<std::string>{"b@dest.example"});
  CHECK(kept[0].content == "Subject: x\r\n\r\n.dot\r\n");
  CHECK(kept[0].reply == "250 got it");
  CHECK(kept[0].accepted);
  CHECK(kept[1].connection == 2);
  CHECK(lab.all<record::ClientMessage>()[1].acknowledged);
}

TEST_CASE("a scripted server may keep its answer to itself") {
  for (const std::string_view end : {"! close", "! reset", "! wait 20m"}) {
    CAPTURE(end);
    Lab lab;
    lab.serve_script(std::string(kServer) + std::string(end) + "\n");
    lab.submit({{0s, message()}});
    CHECK(lab.run() == World::Stopped::idle);
    CHECK(lab.script_failures() == "");
    const auto kept = lab.all<record::PeerMessage>();
    REQUIRE(kept.size() == 1);
    CHECK_FALSE(kept[0].accepted);
    CHECK(kept[0].reply == "");
    CHECK_FALSE(lab.all<record::ClientMessage>()[0].acknowledged);
  }
}

TEST_CASE("a step that fails ends the connection, and is told by its line") {
  Lab lab;
  lab.serve_script("> 220 raw\n< HELO\n> 250 never\n");
  lab.submit({{0s, message()}});
  lab.run();
  CHECK(lab.script_failures() == "mx1:2: wanted \"HELO\", got \"EHLO client.example\"\n");
  CHECK(lab.sent(Side::acceptor) == "220 raw\r\n");
}

TEST_CASE("drip sends octet by octet") {
  Lab lab;
  lab.serve_script("! drip 2B/s\n> 421 x\n");
  lab.submit({{0s, message()}});
  lab.run();
  CHECK(lab.script_failures() == "");
  CHECK(lab.all<record::Octets>().size() == 7);
  CHECK(lab.time_of<record::Octets>(6) - lab.time_of<record::Octets>(0) >= Duration(3s));
}

TEST_CASE("a script that cannot be read is no server") {
  Lab lab;
  lab.serve_script("> 220\n! wiat 5s\n");
  lab.run();
  CHECK(lab.served);
  CHECK(lab.serve_error.find("line 2, column 3: no action is called \"wiat\"") != std::string::npos);
}

TEST_CASE("stop() and a crash end a dialogue without calling it failed") {
  for (const bool crash : {false, true}) {
    Lab lab;
    lab.serve_script("> 220 raw\n! wait 10h\n");
    lab.submit({{0s, message()}});
    lab.world.at(30s, [&] { crash ? lab.mx1.crash() : lab.script_peer->stop(); });
    lab.run();
    CHECK(lab.served);
    CHECK(lab.script_failures() == "");
    CHECK(lab.world.now() < Duration(1h));
  }
}

}  // namespace
}  // namespace postproof::sim
