// Time: wall time (what a calendar shows, may jump) and monotonic time (what waits are measured in)
// are types of their own; a Duration is signed nanoseconds. Nothing here reads a clock: env/clock.h does.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace postproof {

using namespace std::chrono_literals;

using Duration = std::chrono::nanoseconds;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;  // since 1970-01-01 UTC
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // since some start

// The latest moment to wait for. kNever waits without end.
using Deadline = MonoTime;
inline constexpr Deadline kNever = MonoTime::max();

// "Mon, 23 Nov 2026 22:28:17 +0000" (RFC 5322 section 3.3), always in UTC.
std::string format_rfc5322(WallTime time);

// "2026-11-23T22:28:17.123456Z" (RFC 3339), always in UTC, microseconds.
std::string format_rfc3339(WallTime time);
// The same in whole seconds: "2026-11-23T22:28:17Z".
std::string format_rfc3339_seconds(WallTime time);

// Reads a date and time of RFC 3339 section 5.6: with "Z" or an offset, a fraction of up to nine digits. None: not of this
// form, no such day, or a year before 1970 or after 2261.
std::optional<WallTime> parse_rfc3339(std::string_view text);

// A duration as people write it: "1.5s", "15m", "2h30m", "5d", "20ms", "0s". Exact to the nanosecond.
std::string format_duration(Duration duration);

// Reads what format_duration writes: one or more NUMBER UNIT with units ns us ms s m h d w, largest
// first, a fraction only in the last, no sign, no blanks. None: not of this form, or over 1000 weeks.
std::optional<Duration> parse_duration(std::string_view text);

// Reads a size in octets: "512", "64KiB", "10MiB", "2GiB", also "kB" and "MB" (powers of ten).
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace postproof
