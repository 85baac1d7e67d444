#include "sim/scenario/reading.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <variant>

#include "mta/base/event.h"
#include "mta/base/text.h"
#include "mta/capabilities.h"

namespace postproof::sim {

namespace {

template <std::size_t... I>
std::vector<std::string_view> event_names(std::index_sequence<I...>) {
  return {std::variant_alternative_t<I, Event>::kName...};
}

// Octets in front of the given column, which counts characters from 1.
std::size_t octets_before(std::string_view line, std::uint32_t column) {
  std::size_t at = 0;
  for (std::uint32_t passed = 1; passed < column && at < line.size(); ++passed) {
    ++at;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xc0) == 0x80) ++at;
  }
  return at;
}

}  // namespace

void refuse_later(TomlReader& table, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (!table.has(key)) continue;
    table.raw(key);
    table.complain(key, "a word of the language that this version cannot carry out yet");
  }
}

std::optional<std::uint64_t> read_count(TomlReader& table, std::string_view key, std::uint64_t min, std::uint64_t max) {
  const auto value = table.integer(key, static_cast<std::int64_t>(min), static_cast<std::int64_t>(max));
  if (!value) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

std::optional<Duration> read_positive(TomlReader& table, std::string_view key) {
  auto value = table.duration(key);
  if (value && *value <= Duration{0}) {
    table.complain(key, "expected a duration over zero");
    return std::nullopt;
  }
  return value;
}

std::optional<Duration> read_up_to(TomlReader& table, std::string_view key, Duration max) {
  const auto value = table.duration(key);
  if (!value || *value <= max) return value;
  table.complain(key, fmt::format("out of range; expected \"0s\" to \"{}\"", format_duration(max)));
  return std::nullopt;
}

std::optional<WallTime> read_wall_time(TomlReader& table, std::string_view key) {
  const toml::node* node = table.raw(key);
  if (node == nullptr) return std::nullopt;
  std::optional<toml::date_time> moment = node->value<toml::date_time>();
  if (const auto text = node->value<std::string>()) {
    try {
      moment = toml::parse("moment = " + *text)["moment"].value<toml::date_time>();
    } catch (const toml::parse_error&) {
    }
  }
  constexpr int kYearMin = 1970, kYearMax = 2261;  // what 64 bits of nanoseconds hold
  if (!moment || !moment->offset || moment->date.year < kYearMin || moment->date.year > kYearMax) {
    table.complain(key, fmt::format("expected a moment from {} to {}, like \"2038-01-19T03:14:00Z\"", kYearMin, kYearMax));
    return std::nullopt;
  }
  const std::chrono::sys_days day = std::chrono::year{static_cast<int>(moment->date.year)} /
                                    std::chrono::month{moment->date.month} / std::chrono::day{moment->date.day};
  return WallTime(day) + std::chrono::hours{moment->time.hour} + std::chrono::minutes{moment->time.minute} +
         std::chrono::seconds{moment->time.second} + std::chrono::nanoseconds{moment->time.nanosecond} -
         std::chrono::minutes{moment->offset->minutes};
}

std::optional<std::uint64_t> read_rate(TomlReader& table, std::string_view key) {
  constexpr std::string_view kUnit = "/s";
  const auto text = table.string(key);
  if (!text) return std::nullopt;
  std::string_view size = *text;
  std::optional<std::uint64_t> rate;
  if (size.ends_with(kUnit)) {
    size.remove_suffix(kUnit.size());
    const bool plain = size.size() > 1 && size.ends_with('B') && is_digit(size[size.size() - 2]);
    rate = plain ? parse_decimal(size.substr(0, size.size() - 1)) : parse_size(size);
  }
  if (rate && *rate > 0) return rate;
  table.complain(key, "expected octets a second over zero, like \"100B/s\" or \"10KiB/s\"");
  return std::nullopt;
}

std::optional<std::string> read_glob(TomlReader& table, std::string_view key) {
  auto value = table.string(key);
  if (value && value->empty()) {
    table.complain(key, "expected a pattern: text in which * and ? stand for any others");
    return std::nullopt;
  }
  return value;
}

std::vector<When> read_when(TomlReader& table, std::initializer_list<std::string_view> also_with_slack) {
  const Duration slack = table.duration("slack").value_or(std::chrono::seconds{1});
  std::vector<When> list;
  if (const auto moments = table.durations("when")) {
    for (const Duration at : *moments) list.push_back(When{at, slack});
    if (moments->empty()) table.complain("when", "expected at least one moment; \"count = 0\" says that it never happens");
    if (!std::is_sorted(moments->begin(), moments->end())) table.complain("when", "expected moments in order of time");
  } else if (table.has("slack") && !table.has("when") &&
             std::ranges::none_of(also_with_slack, [&](std::string_view key) { return table.has(key); })) {
    table.complain("slack", "expected only together with \"when\"");
  }
  return list;
}

std::vector<double> read_numbers(TomlReader& table, std::string_view key, double min, double max) {
  std::vector<double> list;
  const toml::node* node = table.raw(key);
  if (node == nullptr) return list;
  const auto* array = node->as_array();
  bool good = array != nullptr && !array->empty();
  if (good) {
    for (const toml::node& element : *array) {
      const auto value = element.is_number() ? element.value<double>() : std::nullopt;
      good = good && value && *value >= min && *value <= max;
      if (good) list.push_back(*value);
    }
  }
  if (!good) {
    table.complain(key, fmt::format("expected a list of numbers from {} to {}", min, max));
    list.clear();
  }
  return list;
}

std::vector<std::string_view> event_field_names(std::string_view event) {
  std::vector<std::string_view> names;
  const auto look = [&]<class What>(const What& what) {
    if (What::kName == event) what.visit([&](std::string_view key, const auto&) { names.push_back(key); });
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (look(std::variant_alternative_t<I, Event>{}), ...);
  }(std::make_index_sequence<std::variant_size_v<Event>>{});
  return names;
}

std::optional<std::string> read_event_name(TomlReader& table, std::string_view key) {
  static const std::vector<std::string_view> names =
      event_names(std::make_index_sequence<std::variant_size_v<Event>>{});
  return table.word(key, names);
}

std::vector<std::string> read_needs(TomlReader& table) {
  auto list = table.strings("needs").value_or(std::vector<std::string>{});
  for (const std::string& word : list) {
    if (is_capability(word)) continue;
    const std::string_view near = nearest_word(word, all_capabilities());
    table.complain("needs", fmt::format("no capability is named \"{}\"; {}", escape(word),
                                        near.empty() ? fmt::format("expected {}", fmt::join(all_capabilities(), ", "))
                                                     : fmt::format("did you mean \"{}\"?", near)));
  }
  return list;
}

bool is_domain(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  for (const std::string_view label : split(name, '.')) {
    if (label.empty() || label.size() > 63) return false;
    for (const char c : label) {
      if (!is_alnum(c) && c != '-' && c != '_') return false;
    }
  }
  return true;
}

std::optional<TextBlock> read_block(TomlReader& table, std::string_view key, const std::vector<std::string>& source) {
  auto text = table.string(key);
  if (!text) return std::nullopt;
  const toml::source_region& region = table.raw(key)->source();
  if (region.begin.line < 1 || region.end.line > source.size()) {
    return TextBlock{std::move(*text), std::max<std::uint32_t>(region.begin.line, 1), 1};
  }

  const std::string_view first = source[region.begin.line - 1];
  const std::size_t begin = octets_before(first, region.begin.column);
  std::string_view behind = first.substr(begin);
  const bool literal = behind.starts_with('\'');
  const bool long_string = behind.starts_with("'''") || behind.starts_with("\"\"\"");
  behind.remove_prefix(std::min<std::size_t>(behind.size(), long_string ? 3 : 1));

  bool escapes = false;
  if (!literal) {
    escapes = behind.find('\\') != std::string_view::npos;
    for (std::uint32_t line = region.begin.line + 1; line <= region.end.line; ++line) {
      escapes = escapes || source[line - 1].find('\\') != std::string::npos;
    }
  }
  if (escapes && text->find('\n') != std::string::npos) {
    table.complain(key, "expected text between ''' and ''' without escapes, so that each of its lines has its place in the file");
    return std::nullopt;
  }

  TextBlock block{std::move(*text), region.begin.line, 1};
  if (long_string && behind.empty()) {
    ++block.line;
  } else {
    block.column = region.begin.column + (long_string ? 3 : 1);
  }
  return block;
}

}  // namespace postproof::sim
