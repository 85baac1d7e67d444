// Who may relay: an open relay is never made, whatever the address looks like.
#include "mta/intake/relay.h"

#include <doctest/doctest.h>

using namespace postproof;

namespace {

smtp::SessionInfo client_at(const char* endpoint, const char* login = "") {
  smtp::SessionInfo session;
  session.peer = *Endpoint::parse(endpoint);
  session.login = login;
  return session;
}

}  // namespace

TEST_CASE("relay: trusted clients and who has logged in anywhere, strangers to relayed domains only, routes never") {
  intake::Policy policy;
  policy.hostname = "mx.example.org";
  policy.relay_clients = {*IpNetwork::parse("192.0.2.0/24"), *IpNetwork::parse("2001:db8::/32")};
  policy.relay_domains = {"dest.example"};
  struct Case {
    const char *client, *local_part, *domain;
    bool permitted;
    const char* login = "";
  };
  for (const Case& c : {
           Case{"192.0.2.9:1234", "bob", "anywhere.example", true},
           Case{"[2001:db8::9]:1234", "bob", "anywhere.example", true},
           Case{"192.0.2.9:1234", "a%b", "anywhere.example", true},
           Case{"198.51.100.1:1234", "bob", "dest.example", true},
           Case{"198.51.100.1:1234", "bob", "DEST.Example", true},
           Case{"198.51.100.1:1234", "Postmaster", "", false},
           Case{"192.0.2.9:1234", "Postmaster", "", false},
           Case{"198.51.100.1:1234", "postmaster", "mx.example.org", false},
           Case{"198.51.100.1:1234", "bob", "anywhere.example", false},
           Case{"198.51.100.1:1234", "bob", "anywhere.example", true, "alice"},
           Case{"198.51.100.1:1234", "user%evil.example", "dest.example", true, "alice"},
           Case{"198.51.100.1:1234", "Postmaster", "", false, "alice"},
           Case{"198.51.100.1:1234", "bob", "sub.dest.example", false},
           Case{"198.51.100.1:1234", "bob", "[192.0.2.1]", false},
           Case{"198.51.100.1:1234", "user%evil.example", "dest.example", false},
           Case{"198.51.100.1:1234", "evil.example!user", "dest.example", false},
           Case{"198.51.100.1:1234", "\"user@evil.example\"", "dest.example", false},
       }) {
    CAPTURE(c.client);
    CAPTURE(c.local_part);
    CAPTURE(c.domain);
    const auto refusal = intake::refuse_relay(policy, client_at(c.client, c.login), Address{c.local_part, c.domain});
    CHECK(!refusal == c.permitted);
    if (refusal) CHECK(refusal->permanent());
  }
}

TEST_CASE("relay: the postmaster of this host is for anyone, where somebody reads its mail") {
  intake::Policy policy;
  policy.hostname = "mx.example.org";
  policy.postmaster = Address{"admin", "example.org"};
  const smtp::SessionInfo stranger = client_at("198.51.100.1:1234");
  for (const Address& own : {Address{"Postmaster", ""}, Address{"POSTMASTER", ""}, Address{"postmaster", "MX.example.org"}}) {
    CAPTURE(own.to_string());
    CHECK(intake::is_own_postmaster(policy, own));
    CHECK_FALSE(intake::refuse_relay(policy, stranger, own));
  }
  for (const Address& other : {Address{"postmaster", "dest.example"}, Address{"hostmaster", "mx.example.org"}}) {
    CAPTURE(other.to_string());
    CHECK_FALSE(intake::is_own_postmaster(policy, other));
    CHECK(intake::refuse_relay(policy, stranger, other));
  }
}
