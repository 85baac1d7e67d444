#include "mta/base/time.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "mta/base/text.h"

namespace postproof {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

// Largest first. "m" is minutes, as everywhere in mail.
constexpr std::array<Unit, 8> kUnits{{{"w", 7 * 86'400'000'000'000},
                                      {"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};
constexpr std::int64_t kLongest = 1000 * kUnits[0].nanoseconds;

constexpr std::array<std::string_view, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Civil {
  int year;
  unsigned month, day, weekday, hour, minute, second, microsecond;
};

Civil civil(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(time - day).count();
  const auto seconds = static_cast<unsigned>(rest / 1'000'000);
  return Civil{static_cast<int>(date.year()),
               static_cast<unsigned>(date.month()),
               static_cast<unsigned>(date.day()),
               std::chrono::weekday{day}.c_encoding(),
               seconds / 3600,
               seconds / 60 % 60,
               seconds % 60,
               static_cast<unsigned>(rest % 1'000'000)};
}

// Digits with an optional fraction, in nanoseconds of a unit; moves `text` behind them.
struct Amount {
  std::uint64_t whole = 0;
  std::string_view fraction;
};

std::optional<Amount> take_amount(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  const auto whole = parse_decimal(text.substr(0, digits));
  if (!whole) return std::nullopt;
  Amount amount{*whole, {}};
  text.remove_prefix(digits);
  if (!text.empty() && text[0] == '.') {
    std::size_t end = 1;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == 1 || end > 10) return std::nullopt;
    amount.fraction = text.substr(1, end - 1);
    text.remove_prefix(end);
  }
  return amount;
}

}  // namespace

std::string format_rfc5322(WallTime time) {
  const Civil c = civil(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kWeekdays[c.weekday], c.day, kMonths[c.month - 1],
                     c.year, c.hour, c.minute, c.second);
}

std::string format_rfc3339(WallTime time) {
  const Civil c = civil(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     c.microsecond);
}

std::string format_rfc3339_seconds(WallTime time) {
  const Civil c = civil(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  const auto take = [&](std::size_t digits, char behind) -> std::optional<unsigned> {
    if (text.size() < digits) return std::nullopt;
    const auto value = parse_decimal(text.substr(0, digits));
    text.remove_prefix(digits);
    if (!value || (behind != 0 && (text.empty() || ascii_lower(text[0]) != behind))) return std::nullopt;
    if (behind != 0) text.remove_prefix(1);
    return static_cast<unsigned>(*value);
  };
  const auto year = take(4, '-'), month = take(2, '-'), day = take(2, 't');
  const auto hour = take(2, ':'), minute = take(2, ':'), second = take(2, 0);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)}, std::chrono::month{*month},
                                         std::chrono::day{*day}};
  if (!date.ok() || *year < 1970 || *year > 2261 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  Duration since_midnight = std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    std::int64_t scale = 1'000'000'000;
    std::size_t digits = 0;
    for (; digits < text.size() && is_digit(text[digits]); ++digits) {
      scale /= 10;
      since_midnight += Duration{(text[digits] - '0') * scale};
    }
    if (digits == 0 || digits > 9) return std::nullopt;
    text.remove_prefix(digits);
  }
  const WallTime local = WallTime{std::chrono::sys_days{date}} + since_midnight;
  if (text == "Z" || text == "z") return local;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const bool east = text[0] == '+';
  text.remove_prefix(1);
  const auto offset_hour = take(2, ':'), offset_minute = take(2, 0);
  if (!offset_hour || !offset_minute || *offset_hour > 23 || *offset_minute > 59) return std::nullopt;
  const Duration offset = std::chrono::hours(*offset_hour) + std::chrono::minutes(*offset_minute);
  return east ? local - offset : local + offset;
}

std::string format_duration(Duration duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  if (rest < 0) {
    text = "-";
    if (rest == INT64_MIN) ++rest;
    rest = -rest;
  }
  for (const Unit& unit : kUnits) {
    if (unit.name == "w") continue;  // "14d" reads better than "2w"
    if (unit.name == "s" || (rest < kUnits[4].nanoseconds && unit.nanoseconds < kUnits[4].nanoseconds)) {
      // The last unit carries what is left as a fraction: 1.5s, 20ms, 1.25ms.
      if (rest < unit.nanoseconds) continue;
      const std::int64_t whole = rest / unit.nanoseconds;
      std::string fraction;
      std::int64_t part = rest % unit.nanoseconds;
      for (std::int64_t scale = unit.nanoseconds / 10; part != 0; scale /= 10) {
        fraction += static_cast<char>('0' + part / scale);
        part %= scale;
      }
      return text + std::to_string(whole) + (fraction.empty() ? "" : "." + fraction) + std::string(unit.name);
    }
    if (rest >= unit.nanoseconds) {
      text += std::to_string(rest / unit.nanoseconds) + std::string(unit.name);
      rest %= unit.nanoseconds;
      if (rest == 0) return text;
    }
  }
  return text;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const auto amount = take_amount(text);
    if (!amount) return std::nullopt;
    std::size_t letters = 0;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    const std::string_view name = text.substr(0, letters);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kUnits.size()) return std::nullopt;
    const std::int64_t unit = kUnits[next_unit++].nanoseconds;
    if (amount->whole > static_cast<std::uint64_t>(kLongest / unit)) return std::nullopt;
    total += static_cast<std::int64_t>(amount->whole) * unit;
    std::int64_t scale = unit;
    for (const char digit : amount->fraction) {
      if (digit != '0' && scale % 10 != 0) return std::nullopt;  // finer than a nanosecond
      scale /= 10;
      total += (digit - '0') * scale;
    }
    text.remove_prefix(letters);
    if (!amount->fraction.empty() && !text.empty()) return std::nullopt;
    if (total > kLongest) return std::nullopt;
  }
  return Duration{total};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  struct SizeUnit {
    std::string_view name;
    std::uint64_t octets;
  };
  static constexpr std::array<SizeUnit, 8> kSizes{{{"", 1},
                                                   {"B", 1},
                                                   {"KiB", 1024},
                                                   {"MiB", 1024 * 1024},
                                                   {"GiB", 1024 * 1024 * 1024},
                                                   {"kB", 1000},
                                                   {"MB", 1'000'000},
                                                   {"GB", 1'000'000'000}}};
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  const auto number = parse_decimal(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const SizeUnit& unit : kSizes) {
    if (text.substr(digits) == unit.name) {
      if (*number > UINT64_MAX / unit.octets) return std::nullopt;
      return *number * unit.octets;
    }
  }
  return std::nullopt;
}

}  // namespace postproof
