// An MTA that tells nothing of itself, judged from the wire alone.
#include <doctest/doctest.h>

#include "sim/judge/identity.h"
#include "sim/judge/owed.h"
#include "tests/sim/judge/story.h"

namespace postproof::sim::test {

namespace {

constexpr const char* kLost = "invariant: nothing acknowledged is lost\n";
constexpr const char* kOneEnd = "invariant: each recipient ends in one way\n";

std::string judged_from_outside(Story& story) {
  story.end();
  return failed(judge(story.scenario, story.recording, Sight::wire));
}

// As transfer(), but the MTA hangs up without a word behind the reply to its dot.
void transfer_and_vanish(Story& story) {
  Transfer t;
  t.content = Story::relayed(t.content);
  const ConnectionId id = story.transfer(t);
  auto& records = story.recording.records;
  std::erase_if(records, [&](const Record& record) {
    const auto* octets = std::get_if<record::Octets>(&record.what);
    return octets != nullptr && octets->connection == id && (octets->octets == "QUIT\r\n" || octets->octets == "221 bye\r\n");
  });
}

}  // namespace

TEST_CASE("no event is asked for") {
  Story story;
  story.scenario.open = true;
  story.hand_over();
  Transfer t;
  t.content = Story::relayed(t.content);
  story.transfer(t);
  CHECK(owed_messages(story.scenario, story.recording).empty());
  CHECK(judged_from_outside(story) == "");
  CHECK(failed(story.judged()) == "invariant: events agree with the wire\ninvariant: events agree with the wire\n");
}

TEST_CASE("what is acknowledged is owed until it is delivered or reported") {
  Story story;
  story.scenario.open = true;
  story.hand_over();
  CHECK(owed_messages(story.scenario, story.recording) ==
        std::vector<std::string>{
            "MTA sut: a message from <alice@src.example> for <bob@dest.example>, neither delivered nor reported"});
  CHECK(judged_from_outside(story) == kLost);
}

TEST_CASE("a reply counts as read only if something was said behind it") {
  Story story;
  story.scenario.open = true;
  story.hand_over();
  SUBCASE("then it may come once more") {
    transfer_and_vanish(story);
    Transfer t;
    t.content = Story::relayed(t.content);
    story.transfer(t);
    CHECK(judged_from_outside(story) == "");
  }
  SUBCASE("otherwise not") {
    Transfer t;
    t.content = Story::relayed(t.content);
    story.transfer(t);
    story.transfer(t);
    CHECK(judged_from_outside(story) == kOneEnd);
  }
}

TEST_CASE("who is told nothing: the null sender, and whose report is refused") {
  Story story;
  story.scenario.open = true;
  Transfer t;
  SUBCASE("the null sender") {
    t.sender = "";
    story.hand_over(t);
  }
  SUBCASE("a refused report about a refused recipient") {
    story.hand_over(t);
    t.content = Story::relayed(t.content);
    t.dot_reply = "550 5.7.1 no\r\n";
    t.taken = false;
    story.transfer(t);
    const ConnectionId id = story.dial("sut", "home");
    for (const auto& [said, answer] : {std::pair{"EHLO sut\r\n", "250 home\r\n"},
                                       {"MAIL FROM:<>\r\n", "250 ok\r\n"},
                                       {"RCPT TO:<alice@src.example>\r\n", "550 5.1.1 no\r\n"}}) {
      if (said == std::string_view("EHLO sut\r\n")) story.say(id, Side::acceptor, "220 home\r\n");
      story.say(id, Side::opener, said);
      story.say(id, Side::acceptor, answer);
    }
    story.hang_up(id);
  }
  CHECK(owed_messages(story.scenario, story.recording).empty());
  CHECK(judged_from_outside(story) == "");
}

TEST_CASE("what the MTA alone could tell is not judged") {
  Story story;
  story.scenario.open = true;
  ExpectAttempts attempts;
  attempts.rcpt = "*";
  attempts.count = 3;
  story.expect(attempts, 1);
  ExpectQueue queue;
  queue.depth = 3;
  story.expect(queue, 2);
  ExpectEnd end;
  end.queue = 3;
  story.expect(end, 3);
  end.queue.reset();
  end.connections = 0;
  story.expect(end, 4);
  ExpectNever never;
  never.event = "accepted";
  story.expect(never, 5);
  never.event = "dns-query";
  story.expect(never, 6);
  story.end();
  const Judgement judgement = judge(story.scenario, story.recording, Sight::wire);
  CHECK(failed(judgement) == "");
  CHECK(judgement.passed == 2);
  std::string unjudged;
  for (const Unjudged& one : judgement.unjudged) unjudged += std::to_string(one.line) + " " + one.expectation + "\n";
  CHECK(unjudged == "1 expect attempts\n2 expect queue\n3 expect end\n5 expect never\n");
}

TEST_CASE("a report may give back the header as it was delivered, Return-Path on top") {
  CHECK(below_trace("Return-Path: <a@src.example>\r\nReceived: x\r\n y\r\nSubject: hi\r\n") == "Subject: hi\r\n");
  CHECK(below_trace("Subject: hi\r\n") == "Subject: hi\r\n");
  CHECK(below_received("Return-Path: <a>\r\nSubject: hi\r\n") == "Return-Path: <a>\r\nSubject: hi\r\n");
}

}  // namespace postproof::sim::test
