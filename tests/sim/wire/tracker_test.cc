#include "sim/wire/tracker.h"

#include <doctest/doctest.h>

namespace postproof::sim {
namespace {

// "C ..." and "S ..." in turn; CRLF is added. "c ..." and "s ..." are octets as they stand.
std::vector<SeenMessage> track(const std::vector<std::string_view>& talk) {
  std::vector<SeenMessage> seen;
  TransactionTracker tracker([&](SeenMessage message) { seen.push_back(std::move(message)); });
  for (std::string_view said : talk) {
    std::string octets(said.substr(2));
    if (said[0] == 'C' || said[0] == 'S') octets += "\r\n";
    if (said[0] == 'C' || said[0] == 'c') {
      tracker.from_client(octets);
    } else {
      tracker.from_server(octets);
    }
  }
  tracker.end();
  return seen;
}

TEST_CASE("a plain transaction") {
  const auto seen = track({"S 220 hi", "C EHLO me.example", "S 250-you\r\n250 SIZE", "C MAIL FROM:<a@b> SIZE=9",
                           "S 250 ok", "C RCPT TO:<c@d>", "S 250 ok", "C RCPT TO:<no@d>", "S 550 no", "C DATA",
                           "S 354 go", "C one\r\n..two\r\n.", "S 250-taken\r\n250 as 1", "C QUIT", "S 221 bye"});
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].helo == "me.example");
  CHECK(seen[0].sender == "a@b");
  CHECK(seen[0].mail_parameters == "SIZE=9");
  CHECK(seen[0].recipients == std::vector<std::string>{"c@d"});
  CHECK(seen[0].content == "one\r\n.two\r\n");
  CHECK(seen[0].reply == "250-taken\r\n250 as 1");
  CHECK(seen[0].positive);
}

TEST_CASE("pipelined transactions are told apart by their replies") {
  const auto seen =
      track({"S 220 hi", "C EHLO me", "S 250 you", "C MAIL FROM:<1@b>\r\nRCPT TO:<no@d>\r\nRCPT TO:<c@d>\r\nDATA",
             "S 250 ok\r\n550 no\r\n250 ok\r\n354 go",
             // the next transaction is behind the dot at once
             "C one\r\n.\r\nMAIL FROM:<2@b>\r\nRCPT TO:<e@f>\r\nDATA", "S 451 later\r\n250 ok\r\n250 ok\r\n354 go",
             "C two\r\n.", "S 250 taken"});
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].sender == "1@b");
  CHECK(seen[0].recipients == std::vector<std::string>{"c@d"});
  CHECK(seen[0].content == "one\r\n");
  CHECK(seen[0].reply == "451 later");
  CHECK_FALSE(seen[0].positive);
  CHECK(seen[1].sender == "2@b");
  CHECK(seen[1].recipients == std::vector<std::string>{"e@f"});
  CHECK(seen[1].content == "two\r\n");
  CHECK(seen[1].positive);
}

TEST_CASE("a refused DATA is followed by commands, not by content") {
  const auto seen = track({"S 220 hi", "C MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nRSET\r\n.",
                           "S 250 ok\r\n550 no\r\n554 none\r\n250 ok\r\n500 what"});
  CHECK(seen.empty());
}

TEST_CASE("content that does not wait for its 354 is content all the same") {
  const auto seen = track({"S 220 hi", "C MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nearly\r\n.\r\nQUIT",
                           "S 250 ok\r\n250 ok", "S 354 go", "S 250 ok"});
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].content == "early\r\n");
  CHECK(seen[0].positive);
}

TEST_CASE("what ends no content is content") {
  const auto seen = track({"S 220 hi", "C MAIL FROM:<a@b>", "S 250 ok", "C RCPT TO:<c@d>", "S 250 ok", "C DATA",
                           "S 354 go", "c x\n.\nMAIL FROM:<evil@b>\r\n.\r", "c \n", "S 550 bare LF"});
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].content == "x\n.\nMAIL FROM:<evil@b>\r\n");
  CHECK(seen[0].reply == "550 bare LF");
}

TEST_CASE("a final dot without an answer is told at the end") {
  const auto seen = track(
      {"S 220 hi", "C MAIL FROM:<>", "S 250 ok", "C RCPT TO:<c@d>", "S 250 ok", "C DATA", "S 354 go", "C x\r\n."});
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].sender.empty());
  CHECK(seen[0].reply.empty());
  CHECK_FALSE(seen[0].positive);
}

TEST_CASE("content without a final dot is no message") {
  CHECK(track({"S 220 hi", "C MAIL FROM:<>", "S 250 ok", "C RCPT TO:<c@d>", "S 250 ok", "C DATA", "S 354 go", "C x"})
            .empty());
}

TEST_CASE("RSET, EHLO and a refused MAIL leave nothing behind") {
  const auto seen = track({"S 220 hi",  "C MAIL FROM:<a@b>",
                           "S 250 ok",  "C RCPT TO:<old@d>",
                           "S 250 ok",  "C RSET",
                           "S 250 ok",  "C MAIL FROM:<refused@b>",
                           "S 550 no",  "C RCPT TO:<nobody@d>",
                           "S 250 odd", "C EHLO again",
                           "S 250 hi",  "C MAIL FROM:<new@b>",
                           "S 250 ok",  "C RCPT TO:<new@d>",
                           "S 250 ok",  "C DATA",
                           "S 354 go",  "C .",
                           "S 250 ok"});
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].helo == "again");
  CHECK(seen[0].sender == "new@b");
  CHECK(seen[0].recipients == std::vector<std::string>{"new@d"});
  CHECK(seen[0].content.empty());
}

TEST_CASE("a bare LF ends no command: replies stay with theirs") {
  const auto seen = track({"S 220 hi", "c EHLO me\nMAIL FROM:<evil@b>\r\n", "S 501 no", "C MAIL FROM:<a@b>", "S 250 ok",
                           "C RCPT TO:<c@d>", "S 250 ok", "C DATA", "S 354 go", "C .", "S 250 ok"});
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].sender == "a@b");
  CHECK(seen[0].recipients == std::vector<std::string>{"c@d"});
}

TEST_CASE("octet by octet it is the same") {
  std::vector<SeenMessage> seen;
  TransactionTracker tracker([&](SeenMessage message) { seen.push_back(std::move(message)); });
  const auto feed = [&](bool client, std::string_view octets) {
    for (const char c : octets) client ? tracker.from_client({&c, 1}) : tracker.from_server({&c, 1});
  };
  feed(false, "220 hi\r\n");
  feed(true, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
  feed(false, "250 ok\r\n250 ok\r\n354 go\r\n");
  feed(true, "..x\r\n.\r\n");
  feed(false, "250 ok\r\n");
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].content == ".x\r\n");
}

TEST_CASE("chunks of BDAT are content whatever is answered, and their last one is the end") {
  const auto seen = track({"S 220 hi", "C MAIL FROM:<a@b>\r\nRCPT TO:<c@d>", "c BDAT 9\r\n.\r\nDATA\r\nBDAT 0\r\n",
                           "S 250 ok\r\n250 ok\r\n250 9\r\n250 0", "c bdat 2 last\r\n\r\nMAIL FROM:<2@b>\r\n", "S 250 taken\r\n250 ok",
                           "c RCPT TO:<e@f>\r\nBDAT 6\r\nRSET\r\nBDAT 3 LAST\r\nx\r\nRSET\r\n", "S 250 ok\r\n552 large\r\n503 no\r\n250 ok",
                           "C MAIL FROM:<3@b>\r\nRCPT TO:<e@f>", "S 250 ok\r\n250 ok", "c BDAT 5 LAST\r\nx\r\nQUIT\r\n"});
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].content == ".\r\nDATA\r\n\r\n");
  CHECK(seen[0].positive);
  CHECK(seen[1].sender == "2@b");
  CHECK(seen[1].reply == "503 no");
  CHECK(seen[2].content == "x\r\nQU");
  CHECK(seen[2].reply.empty());
}

TEST_CASE("a last chunk without an answer is told at the end") {
  const auto seen = track({"S 220 hi", "C MAIL FROM:<a@b>", "S 250 ok", "C RCPT TO:<c@d>", "S 250 ok",
                           "c BDAT 3\r\nx\r\nBDAT 0 LAST\r\n", "S 250 3"});
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].content == "x\r\n");
  CHECK(seen[0].reply.empty());
}

TEST_CASE("a PROXY header is no command, and XCLIENT begins anew") {
  const std::string binary("c \r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" "abcdabcdabcd", 30);
  for (const std::string_view header : {std::string_view("C PROXY TCP4 10.0.0.1 10.0.0.2 1 2"), std::string_view(binary)}) {
    const auto seen = track({header, "S 220 hi", "C MAIL FROM:<old@b>", "S 250 ok", "C XCLIENT ADDR=10.0.0.9", "S 220 hi",
                             "C MAIL FROM:<a@b>", "S 250 ok", "C RCPT TO:<c@d>", "S 250 ok", "C DATA", "S 354 go", "C .", "S 250 ok"});
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].sender == "a@b");
  }
  // Behind the greeting it is a command like any other.
  const auto seen = track({"S 220 hi", "C PROXY TCP4 10.0.0.1 10.0.0.2 1 2", "S 500 no", "C MAIL FROM:<a@b>", "S 250 ok",
                           "C RCPT TO:<c@d>", "S 250 ok", "C DATA", "S 354 go", "C .", "S 250 ok"});
  CHECK(seen.size() == 1);
}

}  // namespace
}  // namespace postproof::sim
