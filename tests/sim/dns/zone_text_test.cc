#include "sim/dns/zone_text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

using namespace postproof;
using namespace postproof::sim;

namespace {

// "line owner ttl origin | data" an entry, or the complaint.
std::string read(std::string_view text) {
  const auto entries = read_zone_text(text, 1h);
  if (!entries) return entries.error().what;
  std::string all;
  for (const ZoneEntry& entry : *entries) {
    if (!all.empty()) all += '\n';
    all += fmt::format("{} {} {} {}| {}", entry.line, entry.owner, entry.ttl,
                       entry.origin.empty() ? "" : entry.origin + " ", entry.data);
  }
  return all;
}

}  // namespace

TEST_CASE("master files are cut into entries") {
  struct Case {
    const char* goal;
    const char* text;
    const char* entries;
  } cases[] = {
      {"nothing", "", ""},
      {"blank lines and comments", "\n  \n; all comment\n\t; more\n", ""},
      {"an entry", "a.example. MX 10 mx.a.example.", "1 a.example. 3600 | MX 10 mx.a.example."},
      {"line ends of either kind", "a. A 192.0.2.1\r\nb. A 192.0.2.2\r\n",
       "1 a. 3600 | A 192.0.2.1\n2 b. 3600 | A 192.0.2.2"},
      {"the same owner as before", "\n\na.example. A 192.0.2.1 ; one\n  A 192.0.2.2\n\tMX 0 .",
       "3 a.example. 3600 | A 192.0.2.1\n4 a.example. 3600 | A 192.0.2.2\n5 a.example. 3600 | MX 0 ."},
      {"TTL and class in any order", "a. 60 IN A 1.2.3.4\na. IN 1h A 1.2.3.4\na. in A 1.2.3.4\na. 1h30m A 1.2.3.4",
       "1 a. 60 | A 1.2.3.4\n2 a. 3600 | A 1.2.3.4\n3 a. 3600 | A 1.2.3.4\n4 a. 5400 | A 1.2.3.4"},
      {"$TTL", "$TTL 5m\na. A 1.2.3.4\n$ttl 2\na. A 1.2.3.4", "2 a. 300 | A 1.2.3.4\n4 a. 2 | A 1.2.3.4"},
      {"$ORIGIN", "$ORIGIN example. ; of all below\na A 1.2.3.4\n@ MX 10 a",
       "2 a 3600 example. | A 1.2.3.4\n3 @ 3600 example. | MX 10 a"},
      {"parentheses", "a. SOA ns. h. ( 1 ; serial\n 2 3\n 4 5 ) ; end\nb. A 1.2.3.4",
       "1 a. 3600 | SOA ns. h.   1   2 3  4 5\n4 b. 3600 | A 1.2.3.4"},
      {"quotes keep everything", "a. TXT \"x;y (z\" \"q\\\"r\" ; c", "1 a. 3600 | TXT \"x;y (z\" \"q\\\"r\""},
      {"an escaped semicolon", "a. TXT x\\;y", "1 a. 3600 | TXT x\\;y"},
      {"an owner that is a number", "10.in-addr.arpa. PTR a.", "1 10.in-addr.arpa. 3600 | PTR a."},

      {"no owner", "  A 1.2.3.4", "line 1: no owner name, and none before"},
      {"nothing behind the owner", "a. A 1.2.3.4\nb.\n", "line 2: b.: expected a type and its data"},
      {"an open parenthesis", "a. A (\n1.2.3.4\n", "line 1: \"(\" without \")\""},
      {"a lone parenthesis", "\na. A ) 1.2.3.4\n", "line 2: \")\" without \"(\""},
      {"an open quote", "a. TXT \"x\n", "line 1: the quote does not end on its line"},
      {"an open quote at the end", "a. TXT \"x", "line 1: the quote does not end"},
      {"another class", "a. CH TXT x", "line 1: class CH: expected IN"},
      {"an unknown directive", "$INCLUDE /etc/passwd", "line 1: $INCLUDE: expected $ORIGIN or $TTL"},
      {"a relative origin", "$ORIGIN example", "line 1: $ORIGIN example: expected a name with a dot at its end"},
      {"a TTL that is none", "$TTL soon", "line 1: $TTL soon: expected seconds, or a time like 1h"},
      {"a TTL over 2^31-1", "$TTL 2147483648", "line 1: $TTL 2147483648: expected seconds, or a time like 1h"},
      {"two values", "$TTL 1 2", "line 1: $TTL: expected one value"},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.goal));
    CHECK(read(c.text) == c.entries);
  }
}
