// Durations, sizes and dates as text.
#include "mta/base/time.h"

#include <doctest/doctest.h>

using namespace postproof;

TEST_CASE("duration: written and read back") {
  struct Case {
    Duration duration;
    const char* text;
  };
  for (const Case& c : {Case{0s, "0s"}, Case{1500ms, "1.5s"}, Case{20ms, "20ms"}, Case{1250us, "1.25ms"}, Case{7ns, "7ns"},
                        Case{90s, "1m30s"}, Case{60s, "1m"}, Case{2h + 30min, "2h30m"}, Case{5 * 24h, "5d"},
                        Case{14 * 24h, "14d"}, Case{24h + 1ns, "1d1ns"}, Case{3h + 45min + 1s + 1us, "3h45m1.000001s"},
                        Case{60s + 20ms, "1m20ms"}}) {
    CAPTURE(c.text);
    CHECK(format_duration(c.duration) == c.text);
    CHECK(parse_duration(c.text) == c.duration);
  }
  CHECK(format_duration(-90s) == "-1m30s");
  CHECK(parse_duration("1w") == 7 * 24h);
  CHECK(parse_duration("0.5h") == 30min);
}

TEST_CASE("duration: what is none") {
  for (const char* text : {"", "5", "m", "-5m", "5 m", "5m ", "5m5h", "5m5m", "1.5m30s", "1.s", ".5s", "5x", "1001w",
                           "99999999999999999999s", "0.1ns", "5M"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("size: units and overflow") {
  CHECK(parse_size("512") == 512);
  CHECK(parse_size("64KiB") == 65536);
  CHECK(parse_size("10MiB") == 10485760);
  CHECK(parse_size("1kB") == 1000);
  for (const char* text : {"", "KiB", "1.5MiB", "-1", "10 MiB", "18446744073709551616", "99999999999GiB", "1mib"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("dates: RFC 5322 and RFC 3339, leap years and midnights") {
  const WallTime start{std::chrono::seconds{1'767'225'600}};
  CHECK(format_rfc5322(start) == "Thu, 01 Jan 2026 00:00:00 +0000");
  CHECK(format_rfc5322(start - 1s) == "Wed, 31 Dec 2025 23:59:59 +0000");
  CHECK(format_rfc5322(WallTime{std::chrono::seconds{1'709'164'800}}) == "Thu, 29 Feb 2024 00:00:00 +0000");
  CHECK(format_rfc5322(WallTime{}) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(format_rfc3339(start + 1234567us) == "2026-01-01T00:00:01.234567Z");
}

TEST_CASE("dates: RFC 3339 read") {
  const WallTime start{std::chrono::seconds{1'767'225'600}};
  CHECK(format_rfc3339_seconds(start) == "2026-01-01T00:00:00Z");
  for (const char* text : {"2026-01-01T00:00:00Z", "2026-01-01t00:00:00z", "2026-01-01T01:30:00+01:30",
                           "2025-12-31T16:00:00.000-08:00", "2025-12-31T23:59:60Z"}) {
    CAPTURE(text);
    CHECK(parse_rfc3339(text) == start);
  }
  CHECK(parse_rfc3339("2026-01-01T00:00:00.123456789Z") == start + 123456789ns);
  CHECK(parse_rfc3339("2024-02-29T00:00:00Z"));
  for (const char* text : {"", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.Z",
                           "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+01:00x", "1969-12-31T23:59:59Z",
                           "9999-01-01T00:00:00Z", "2026-01-01T00:00:00Zx", "+026-01-01T00:00:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}
