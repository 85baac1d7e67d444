// Tools that every part of the loader uses: what TomlReader leaves open because only scenarios need it.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

// Words of the language that other parts of Postproof do not carry out yet: complained of as such, not as unknown.
void refuse_later(TomlReader& table, std::initializer_list<std::string_view> keys);

// An integer of at least `min`.
std::optional<std::uint64_t> read_count(TomlReader& table, std::string_view key, std::uint64_t min,
                                        std::uint64_t max = 1'000'000);

// A duration over zero.
std::optional<Duration> read_positive(TomlReader& table, std::string_view key);

// A duration of `max` at the most.
std::optional<Duration> read_up_to(TomlReader& table, std::string_view key, Duration max);

// A moment of the calendar, from 1970 to 2262: "2038-01-19T03:14:00Z", as a string or as TOML's own date-time.
std::optional<WallTime> read_wall_time(TomlReader& table, std::string_view key);

// Octets a second, over zero: "10KiB/s".
std::optional<std::uint64_t> read_rate(TomlReader& table, std::string_view key);

// What links and faults of links have in common.
inline constexpr std::uint64_t kSegmentMax = 65'535;
inline constexpr Duration kLatencyMax = std::chrono::hours{1};
inline constexpr double kLossMax = 0.9;  // more than that, and connections hardly come to an end

// A pattern: any text but the empty one.
std::optional<std::string> read_glob(TomlReader& table, std::string_view key);

// `when` (a moment or a list of them, in order) and `slack` (default 1s), which some other keys use too.
std::vector<When> read_when(TomlReader& table, std::initializer_list<std::string_view> also_with_slack = {});

// Numbers in an array.
std::vector<double> read_numbers(TomlReader& table, std::string_view key, double min, double max);

// The name of an event of the MTA's: "accepted".
std::optional<std::string> read_event_name(TomlReader& table, std::string_view key);

// The names of the fields that an event of this name has; empty if there is no such event.
std::vector<std::string_view> event_field_names(std::string_view event);

// The key `needs`: capabilities of the MTA (mta/capabilities.h).
std::vector<std::string> read_needs(TomlReader& table);

// A name of the DNS: labels of letters, digits, "-" and "_", without a trailing dot.
bool is_domain(std::string_view name);

// Zone text, a dialogue: a notation of its own inside a string, whose lines have places in the file.
struct TextBlock {
  std::string text;
  std::uint32_t line = 0;    // of the text's first line
  std::uint32_t column = 1;  // where its first line begins
};

// `source`: the file's lines. toml++ places a ''' string at its quotes and drops a line end right behind
// them. Escapes would take the text's lines away from the file's: a text of several lines must go without.
std::optional<TextBlock> read_block(TomlReader& table, std::string_view key, const std::vector<std::string>& source);

}  // namespace postproof::sim
