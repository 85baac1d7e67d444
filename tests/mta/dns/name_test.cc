#include "mta/dns/name.h"

#include <doctest/doctest.h>

#include <string>

using namespace postproof::dns;

TEST_CASE("names are brought into one form, and what is none is told") {
  const std::string label63(63, 'a');
  const std::string octets253 = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b');
  struct Case {
    std::string text, normal;  // empty: no name
  } cases[] = {
      {"dest.example", "dest.example"},
      {"Dest.EXAMPLE.", "dest.example"},
      {"localhost", "localhost"},
      {"_dmarc.dest.example", "_dmarc.dest.example"},
      {"xn--bcher-kva.example", "xn--bcher-kva.example"},
      {"192.0.2.1", "192.0.2.1"},
      {label63 + ".example", label63 + ".example"},
      {octets253, octets253},
      {octets253 + ".", octets253},
      {octets253 + "b", ""},
      {label63 + "a.example", ""},
      {"", ""},
      {".", ""},
      {"..", ""},
      {".example", ""},
      {"dest..example", ""},
      {"dest.example..", ""},
      {"de st.example", ""},
      {"b\xc3\xbc"
       "cher.example",
       ""},
      {std::string("a\0b.example", 11), ""},
      {"[192.0.2.1]", ""},
      {"a\\.b.example", ""},
      {"a/b.example", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.text));
    const auto name = normal_name(c.text);
    CHECK(name.has_value() == !c.normal.empty());
    if (name)
      CHECK(*name == c.normal);
    else
      CHECK_FALSE(name.error().empty());
  }
}

TEST_CASE("an IPv4 address is no host name") {
  CHECK(is_host_name("mx1.dest.example"));
  CHECK(is_host_name("mx.1x"));
  CHECK(is_host_name("localhost"));
  CHECK_FALSE(is_host_name("192.0.2.1"));
  CHECK_FALSE(is_host_name("mx.123"));
  CHECK_FALSE(is_host_name(""));
  CHECK_FALSE(is_host_name("m x.example"));
}
