#include "mta/route/mx_list.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

using namespace postproof;
using namespace postproof::route;

TEST_CASE("MX records to hosts (RFC 5321 section 5.1, RFC 7505)") {
  struct Case {
    const char* goal;
    std::vector<dns::Mx> records;
    const char* hosts;  // or the error's name
  } cases[] = {
      {"by preference", {{20, "b.example"}, {10, "a.example"}}, "10 a.example 20 b.example"},
      {"equals by name", {{10, "b.example"}, {10, "a.example"}}, "10 a.example 10 b.example"},
      {"the ends of the range", {{65535, "b.example"}, {0, "a.example"}}, "0 a.example 65535 b.example"},
      {"one host twice", {{20, "a.example"}, {10, "a.example"}, {10, "a.example"}}, "10 a.example"},
      {"null MX", {{0, ""}}, "null"},
      {"null MX of another preference", {{10, ""}}, "null"},
      {"null MX twice", {{0, ""}, {5, ""}}, "null"},
      {"null MX beside others", {{0, ""}, {10, "a.example"}}, "10 a.example"},
      {"an IP address", {{5, "192.0.2.1"}, {10, "a.example"}}, "10 a.example"},
      {"only an IP address", {{5, "192.0.2.1"}}, "unusable"},
      {"only a name that is none", {{5, "a\\032b.example"}}, "unusable"},
      {"only null and an IP address", {{0, ""}, {5, "192.0.2.1"}}, "unusable"},
      {"ourselves last", {{10, "a.example"}, {20, "Us.Example"}}, "10 a.example"},
      {"ourselves between", {{10, "a.example"}, {20, "us.example"}, {30, "b.example"}}, "10 a.example"},
      {"equals of ours go",
       {{10, "a.example"}, {20, "us.example"}, {20, "t.example"}, {20, "v.example"}},
       "10 a.example"},
      {"ourselves first", {{10, "us.example"}, {20, "b.example"}}, "self"},
      {"ourselves alone", {{10, "us.example"}}, "self"},
      {"ourselves and an equal", {{10, "a.example"}, {10, "us.example"}}, "self"},
      {"ourselves twice", {{10, "a.example"}, {20, "us.example"}, {5, "us.example"}}, "self"},
      {"ourselves behind something unusable", {{5, "192.0.2.1"}, {10, "us.example"}}, "self"},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.goal));
    const auto usable = usable_mx("dest.example", c.records, "us.example");
    std::string text;
    if (usable) {
      for (const dns::Mx& mx : *usable) text += fmt::format("{}{} {}", text.empty() ? "" : " ", mx.preference, mx.host);
    } else {
      CHECK(usable.error().what.find("dest.example") != std::string::npos);
      switch (usable.error().code) {
        case Errc::dns_null_mx: text = "null"; break;
        case Errc::dns_self_mx: text = "self"; break;
        case Errc::dns_no_usable_mx: text = "unusable"; break;
        default: text = usable.error().what;
      }
    }
    CHECK(text == c.hosts);
  }
}

TEST_CASE("the best of very many MX records are kept") {
  std::vector<dns::Mx> records;
  for (std::uint16_t i = 0; i < 200; ++i) {
    records.push_back({static_cast<std::uint16_t>(1000 - i), fmt::format("mx{}.example", i)});
  }
  const auto usable = usable_mx("dest.example", records, "us.example");
  REQUIRE(usable.has_value());
  CHECK(usable->size() == kMxHostsMax);
  CHECK(usable->front().host == "mx199.example");
  CHECK(usable->back().host == "mx150.example");
}
