// Which senders a login may name.
#include "mta/intake/senders.h"

#include <doctest/doctest.h>

using namespace postproof;

TEST_CASE("senders: the login itself, what is listed for it, and nobody else's") {
  intake::Policy policy;
  policy.senders = intake::Senders::own;
  policy.sender_login["alice"] = {"alice@example.org", "@alice.example"};
  policy.sender_login["bob@example.org"] = {"sales@example.org"};
  struct Case {
    const char *login, *sender;
    bool permitted;
  };
  for (const Case& c : {
           Case{"alice", "alice@example.org", true},
           Case{"alice", "Alice@Example.ORG", true},
           Case{"alice", "anything@alice.example", true},
           Case{"alice", "anything@sub.alice.example", false},
           Case{"alice", "anything@malice.example", false},
           Case{"alice", "bob@example.org", false},
           Case{"alice", "sales@example.org", false},
           Case{"bob@example.org", "bob@example.org", true},
           Case{"bob@example.org", "sales@example.org", true},
           Case{"bob@example.org", "alice@example.org", false},
           Case{"@example.org", "alice@example.org", false},
           Case{"mallory", "alice@example.org", false},
       }) {
    CAPTURE(c.login);
    CAPTURE(c.sender);
    const auto refusal = intake::refuse_sender(policy, c.login, *Address::parse(c.sender));
    CHECK(!refusal == c.permitted);
    if (refusal) CHECK(refusal->code == 553);
  }
  CHECK_FALSE(intake::refuse_sender(policy, "mallory", std::nullopt));
  policy.senders = intake::Senders::any;
  CHECK_FALSE(intake::refuse_sender(policy, "mallory", *Address::parse("alice@example.org")));
}
