// The grammar of mailboxes: what is taken comes back unchanged, what is not is told.
#include "mta/mail/address.h"

#include <doctest/doctest.h>

#include <vector>

#include "mta/base/limits.h"

using namespace postproof;

namespace {

// A domain of exactly `size` octets, in labels of at most 63.
std::string domain_of(std::size_t size) {
  std::string domain;
  while (size > 64) {
    domain += std::string(63, 'd') + ".";
    size -= 64;
  }
  return domain + std::string(size, 'd');
}

}  // namespace

TEST_CASE("mailboxes that are fine round-trip unchanged") {
  struct Case {
    std::string text, local_part, domain;
  };
  const std::vector<Case> cases = {
      {"bob@dest.example", "bob", "dest.example"},
      {"Bob.Smith@Dest.EXAMPLE", "Bob.Smith", "Dest.EXAMPLE"},
      {"a+b=c/d{e}|f~g'h`i!j#k$l%m&n*o?p^q_r-s@x", "a+b=c/d{e}|f~g'h`i!j#k$l%m&n*o?p^q_r-s", "x"},
      {"\"a b\"@d.example", "\"a b\"", "d.example"},
      {"\"a\\\"b\"@d.example", "\"a\\\"b\"", "d.example"},
      {"\"a\\\\\"@d.example", "\"a\\\\\"", "d.example"},
      {"\"a@b\"@d.example", "\"a@b\"", "d.example"},
      {"\"<>,;:()[]\"@d.example", "\"<>,;:()[]\"", "d.example"},
      {"\"\"@d.example", "\"\"", "d.example"},
      {"\"..\"@d.example", "\"..\"", "d.example"},
      {"b\xc3\xb6" "b@b\xc3\xbc" "cher.example", "b\xc3\xb6" "b", "b\xc3\xbc" "cher.example"},
      {"bo\xcc\x88" "b@d.example", "bo\xcc\x88" "b", "d.example"},  // not normalised
      {"\"b\xc3\xb6 b\"@d.example", "\"b\xc3\xb6 b\"", "d.example"},
      {"x@[192.0.2.1]", "x", "[192.0.2.1]"},
      {"x@[IPv6:2001:db8::1]", "x", "[IPv6:2001:db8::1]"},
      {"x@[ipv6:::1]", "x", "[ipv6:::1]"},
      {"x@[IPv6:::ffff:192.0.2.1]", "x", "[IPv6:::ffff:192.0.2.1]"},
      {"x@_dmarc.my_host.example", "x", "_dmarc.my_host.example"},
      {"x@1.2.3.4", "x", "1.2.3.4"},
      {"x@a-b.xn--p1ai", "x", "a-b.xn--p1ai"},
      {std::string(64, 'l') + "@d", std::string(64, 'l'), "d"},
      {"x@" + domain_of(255), "x", domain_of(255)},
      {"x@" + std::string(63, 'd'), "x", std::string(63, 'd')},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto address = Address::parse(c.text);
    REQUIRE(address);
    CHECK(address->local_part == c.local_part);
    CHECK(address->domain == c.domain);
    CHECK(address->to_string() == c.text);
  }
}

TEST_CASE("mailboxes that are refused, and why") {
  struct Case {
    std::string text, why;
  };
  const std::vector<Case> cases = {
      {"", "empty address"},
      {"bob", "without a domain"},
      {"@d.example", "empty local-part"},
      {"bob@", "empty domain"},
      {".a@d", "misplaced dot"},
      {"a.@d", "misplaced dot"},
      {"a..b@d", "misplaced dot"},
      {".@d", "misplaced dot"},
      {"a b@d", "outside quotes"},
      {"a@b@c", "may not have '@'"},
      {"a,b@d", "outside quotes"},
      {"a<b@d", "outside quotes"},
      {"a\\b@d", "outside quotes"},
      {"a\"b\"@d", "outside quotes"},
      {"\"a@d", "closing quote"},
      {"\"a\\\"@d", "closing quote"},
      {"\"a\"b@d", "between"},
      {"\"a\".b@d", "between"},
      {"x@d.", "ends in a dot"},
      {"x@.d", "empty label"},
      {"x@a..b", "empty label"},
      {"x@-a.b", "hyphen"},
      {"x@a-.b", "hyphen"},
      {"x@a b", "may not have ' '"},
      {"x@a/b", "may not have '/'"},
      {"x@[192.0.2.1", "address literal"},
      {"x@[192.0.2.256]", "address literal"},
      {"x@[192.0.2]", "address literal"},
      {"x@[2001:db8::1]", "address literal"},
      {"x@[IPv6:192.0.2.1]", "address literal"},
      {"x@[IPv6:2001:db8:::1]", "address literal"},
      {"x@[IPv6:fe80::1%eth0]", "address literal"},
      {"x@[X-tag:abc]", "address literal"},
      {"x@[]", "address literal"},
      {"x@[", "address literal"},
      {"x@[192.0.2.1]x", "address literal"},
      {std::string("a\0b@d", 5), "control octet"},
      {"a\rb@d", "control octet"},
      {"\"a\nb\"@d", "control octet"},
      {"\"a\tb\"@d", "control octet"},
      {"a\x7f@d", "control octet"},
      {"b\xc3@d", "neither"},
      {"b\xff@d", "neither"},
      {"b\xc0\xaf@d", "neither"},          // overlong
      {"b\xed\xa0\x80@d", "neither"},      // a surrogate
      {"x@b\xc3.example", "neither"},
      {"x@\xe2\x80\xa8.example", "no internationalized domain name"},  // a line separator
      {"x@-\xc3\xbc.example", "no internationalized domain name"},
      {"x@\xc3\xbc..example", "empty label"},
      {std::string(65, 'l') + "@d", "more than 64"},
      {"\"" + std::string(63, 'l') + "\"@d", "more than 64"},
      {"x@" + domain_of(256), "more than 255"},
      {"x@" + std::string(64, 'd'), "more than 63"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto address = Address::parse(c.text);
    REQUIRE_FALSE(address);
    CHECK_MESSAGE(address.error().contains(c.why), address.error());
  }
}

TEST_CASE("every single octet in a local-part and in a domain: what is taken is printable") {
  for (int i = 0; i < 256; ++i) {
    const std::string octet(1, static_cast<char>(i));
    const bool printable = i >= 0x20 && i <= 0x7e;
    for (const std::string& text :
         {"a" + octet + "b@d.example", "\"a" + octet + "b\"@d.example", "a@d" + octet + "e"}) {
      const auto address = Address::parse(text);
      if (address) CHECK((printable && address->to_string() == text));  // a lone 8-bit octet is no UTF-8
    }
  }
}

TEST_CASE("domains are compared by their A-labels, whichever form of Unicode they came in") {
  for (const char* form : {"b\xc3\xbc" "cher.example", "B\xc3\x9c" "CHER.Example", "bu\xcc\x88" "cher.example",
                           "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE"}) {
    CAPTURE(form);
    CHECK(domain_key(form) == "xn--bcher-kva.example");
  }
  CHECK(domain_key("fa\xc3\x9f.example") == "xn--fa-hia.example");  // not "fass": IDNA2008
}

TEST_CASE("keys and paths") {
  CHECK(Address{"x", "Dest.Example"}.domain_key() == "dest.example");
  CHECK(Address{"x", "dest.example."}.domain_key() == "dest.example");
  CHECK(Address{"Postmaster", ""}.to_string() == "Postmaster");
  CHECK(Address{"x", "[192.0.2.1]"}.has_literal_domain());
  CHECK(to_string(ReversePath{}).empty());
  CHECK(to_string(ReversePath{Address{"a", "b"}}) == "a@b");
}
