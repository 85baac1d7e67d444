#include "sim/dns/zone_data.h"
#include "sim/dns/zone_records.h"

#include <doctest/doctest.h>

#include <string>

using namespace postproof;
using namespace postproof::sim;

namespace {

std::string complaint(std::string_view text) {
  ZoneData zones;
  const auto added = zones.add_text(text);
  return added ? "" : added.error().what;
}

}  // namespace

TEST_CASE("names and types of the text, sorted, each once") {
  ZoneData zones;
  REQUIRE(
      zones.add_text("dest.example. MX 10 Mx1.dest.example.\ndest.example. MX 20 mx2.dest.example.\n"
                     "Mx1.Dest.example. A 192.0.2.1\n*.dest.example. TXT x\n"));
  REQUIRE(zones.add_host("host.example", *IpAddress::parse("192.0.2.9")));
  CHECK(zones.names() == std::vector<std::string>{"*.dest.example TXT", "dest.example MX", "mx1.dest.example A"});
}

TEST_CASE("a host's name must be one") {
  ZoneData zones;
  const IpAddress address = *IpAddress::parse("192.0.2.9");
  CHECK(zones.add_host("mx1.dest.example.", address));
  for (const char* name : {"", ".", "a..b", "a b", "a\nb", "x;y", "(x)"}) {
    CAPTURE(std::string(name));
    CHECK_FALSE(zones.add_host(name, address));
  }
  CHECK_FALSE(zones.add_host(std::string(64, 'a') + ".example", address));
  CHECK(zones.add_zone("dest.example"));
  CHECK_FALSE(zones.add_zone("dest..example"));
}

TEST_CASE("what is wrong in a zone is told with its line, and nothing of it is kept") {
  struct Case {
    const char* text;
    const char* end;  // of the complaint, as far as it is ours
  } cases[] = {
      {"dest.example MX 10 mx1.dest.example.",
       "line 1: dest.example: expected a dot at the name's end, or $ORIGIN before"},
      {"a.example. A 192.0.2.1\ndest.example. MX 10 mx1.dest.example",
       "line 2: mx1.dest.example: expected a dot at the name's end, or $ORIGIN before"},
      {"@ A 192.0.2.1", "line 1: @: expected a dot at the name's end, or $ORIGIN before"},
      {"a.example. CNAME b.example.\na.example. MX 0 .", "line 2: a.example.: a CNAME beside other records"},
      {"a.example. MX 0 .\na.example. CNAME b.example.", "line 2: a.example.: a CNAME beside other records"},
      {"a.example. CNAME b.example.\na.example. CNAME c.example.", "line 2: a.example.: a second CNAME"},
      {"a. SOA n. h. 1 2 3 4 5\na. SOA n. h. 2 2 3 4 5", "line 2: a.: a second SOA"},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.text));
    CHECK(complaint(c.text) == std::string("zone: ") + c.end);
  }
  for (const char* text : {"a. A", "a. A 192.0.2", "a. A 192.0.2.1.5", "a. AAAA 192.0.2.1", "a. MX mx.", "a. MX 10",
                           "a. MX x mx.", "a. MX 70000 mx.", "a. SOA n. h. 1 2 3", "a. NOSUCH x", "a..b. A 192.0.2.1",
                           "a. CNAME", "a. TXT", "a. A 192.0.2.1 192.0.2.2"}) {
    CAPTURE(std::string(text));
    const std::string what = complaint(std::string("ok. A 192.0.2.1\n") + text + "\n");
    CAPTURE(what);
    CHECK(what.starts_with("zone: line 2: "));
  }

  ZoneData zones;
  CHECK_FALSE(zones.add_text("a. A 192.0.2.1\nb. A nonsense\n"));
  CHECK(zones.names().empty());
}

TEST_CASE("what text may say") {
  for (const char* text :
       {"$ORIGIN .\ndest.example MX 10 mx1.dest.example\n", "a. SRV 0 5 25 b.\n", "a. TYPE65280 \\# 2 abcd\n",
        "$ORIGIN example.\n@ MX 10 mx1\nmx1 A 192.0.2.1\n",
        "_25._tcp.a. TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
        "a. A 192.0.2.1\na. A 192.0.2.1\n", "1.2.0.192.in-addr.arpa. PTR a.\n", "a. MX 0 .\na. MX 10 192.0.2.1.\n"}) {
    CAPTURE(std::string(text));
    CHECK(complaint(text) == "");
  }
}

TEST_CASE("a change takes the place of what names had of its types; what is removed is gone") {
  const auto address = *IpAddress::parse("192.0.2.1");
  ZoneData zones;
  REQUIRE(zones.add_text("a.example. MX 10 b.example.\na.example. TXT \"kept\"\nc.example. CNAME a.example.\n"));
  REQUIRE(zones.add_host("b.example", address));
  REQUIRE(zones.change("a.example. MX 1 d.example.\na.example. MX 2 e.example.\nc.example. A 192.0.2.9\n", {}));
  CHECK(zones.names() == std::vector<std::string>{"a.example MX", "a.example TXT", "c.example A"});
  CHECK(zones.impl().names.at("a.example").of_type(LDNS_RR_TYPE_MX).size() == 2);
  REQUIRE(zones.change("a.example. CNAME c.example.\n", {}));
  CHECK(zones.names() == std::vector<std::string>{"a.example CNAME", "c.example A"});
  CHECK(zones.impl().names.at("b.example").of_type(LDNS_RR_TYPE_A).size() == 1);
  REQUIRE(zones.change("", {"b.example", "c.example A"}));
  CHECK_FALSE(zones.impl().names.contains("b.example"));
  CHECK(zones.impl().names.contains("c.example"));
  CHECK(zones.names() == std::vector<std::string>{"a.example CNAME"});
  CHECK_FALSE(zones.change("x.example MX 1 y.example.", {"a.example"}));
  CHECK_FALSE(zones.change("", {"a.example NOSUCH"}));
  CHECK_FALSE(zones.change("", {"a.example MX 1"}));
  CHECK(zones.names() == std::vector<std::string>{"a.example CNAME"});
}
