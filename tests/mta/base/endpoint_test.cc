// Addresses, networks and endpoints: what parses, what does not, and what comes out.
#include "mta/base/endpoint.h"

#include <doctest/doctest.h>

using namespace postproof;

TEST_CASE("endpoint: text goes both ways") {
  for (const char* text : {"192.0.2.1:25", "[2001:db8::1]:25", "0.0.0.0:0", "[::]:65535", "unix:/run/x.sock", "fd:3"}) {
    CAPTURE(text);
    const auto endpoint = Endpoint::parse(text);
    REQUIRE(endpoint);
    CHECK(endpoint->to_string() == text);
  }
}

TEST_CASE("endpoint: what is none") {
  for (const char* text : {"", "25", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:x", "2001:db8::1:25",
                           "[192.0.2.1]:25", "[2001:db8::1]", "unix:", "fd:", "fd:-1", "localhost:25", "192.0.2.256:25"}) {
    CAPTURE(text);
    CHECK_FALSE(Endpoint::parse(text));
  }
}

TEST_CASE("address: kinds, literals, order") {
  CHECK(IpAddress::parse("127.8.9.1")->is_loopback());
  CHECK(IpAddress::parse("::1")->is_loopback());
  CHECK_FALSE(IpAddress::parse("::2")->is_loopback());
  CHECK(IpAddress::parse("::")->is_unspecified());
  CHECK(IpAddress::parse("0.0.0.0")->is_unspecified());
  CHECK(IpAddress::parse("192.0.2.1")->to_literal() == "[192.0.2.1]");
  CHECK(IpAddress::parse("2001:DB8::1")->to_literal() == "[IPv6:2001:db8::1]");
  CHECK(*IpAddress::parse("192.0.2.1") != *IpAddress::parse("192.0.2.2"));
  CHECK(IpAddress::parse("::ffff:192.0.2.1")->without_mapping() == *IpAddress::parse("192.0.2.1"));
  for (const char* other : {"192.0.2.1", "::fffe:192.0.2.1", "1::ffff:192.0.2.1", "::1", "::"}) {
    CHECK(IpAddress::parse(other)->without_mapping() == *IpAddress::parse(other));
  }
  CHECK_FALSE(IpAddress::parse("192.0.2.01x"));
  CHECK_FALSE(IpAddress::parse(std::string_view("192.0.2.1\0", 10)));
}

TEST_CASE("network: the prefix decides, bit by bit") {
  struct Case {
    const char *network, *address;
    bool inside;
  };
  for (const Case& c : {Case{"192.0.2.0/24", "192.0.2.255", true}, Case{"192.0.2.0/24", "192.0.3.0", false},
                        Case{"192.0.2.128/25", "192.0.2.127", false}, Case{"192.0.2.128/25", "192.0.2.200", true},
                        Case{"0.0.0.0/0", "203.0.113.9", true}, Case{"0.0.0.0/0", "::1", false},
                        Case{"::1", "::1", true}, Case{"::1", "::2", false}, Case{"2001:db8::/33", "2001:db8:8000::", false},
                        Case{"2001:db8::/33", "2001:db8:7fff::", true}}) {
    CAPTURE(c.network);
    CAPTURE(c.address);
    CHECK(IpNetwork::parse(c.network)->contains(*IpAddress::parse(c.address)) == c.inside);
  }
  for (const char* bad : {"", "192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/x", "x/8"}) CHECK_FALSE(IpNetwork::parse(bad));
}
