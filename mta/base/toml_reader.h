// Reads TOML tables with located complaints: the one way in which configuration and scenarios are read.
// Every getter notes its key as known; finish() complains of the keys that nobody asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/time.h"

namespace toml {
inline namespace v3 {
class table;
class node;
class array;
}
}

namespace postproof {

// A place in a file, counted from 1; line 0 means the file as a whole.
struct SourcePosition {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const SourcePosition&) const = default;
};

struct Problem {
  std::string file;
  SourcePosition position;
  std::string what;  // what is wrong, and what was expected

  std::string to_string() const;  // "FILE:LINE:COLUMN: what"
};

// One of a list's strings, with its place.
struct LocatedString {
  std::string text;
  SourcePosition position;
  bool operator==(const LocatedString&) const = default;
};

// So many complaints of one file are told; of what comes behind them, the number.
inline constexpr std::size_t kProblemsMax = 100;

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}
  void add(SourcePosition position, std::string what);
  bool empty() const { return list_.empty(); }
  // Nobody will read what is added.
  bool full() const { return list_.size() >= kProblemsMax; }
  const std::vector<Problem>& list() const { return list_; }
  const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::vector<Problem> list_;
  std::size_t omitted_ = 0;  // the last of the list says how many
};

class TomlReader {
 public:
  // `path` is how complaints name the table ("mta.sut", "" for the file's top).
  TomlReader(const toml::table& table, std::string path, Problems& problems);

  // Each returns none when the key is absent or its value is wrong (which was then complained of).
  std::optional<std::string> string(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<double> number(std::string_view key, double min, double max);
  std::optional<Duration> duration(std::string_view key);          // "15m", or 0
  std::optional<std::uint64_t> size(std::string_view key);         // "10MiB", or an integer
  std::optional<std::vector<std::string>> strings(std::string_view key);   // an array, or one string
  std::optional<std::vector<LocatedString>> located_strings(std::string_view key);  // as strings()
  std::optional<std::vector<Duration>> durations(std::string_view key);    // an array, or one
  // One of the words; complains with the list and the nearest.
  std::optional<std::string> word(std::string_view key, const std::vector<std::string_view>& words);
  std::optional<TomlReader> table(std::string_view key);
  std::vector<TomlReader> tables(std::string_view key);  // an array of tables; empty when absent
  // Sub-tables under names of the author's choosing ([peer.NAME]), in the order of the file.
  std::vector<std::pair<std::string, TomlReader>> named_tables(std::string_view key);
  // The tables directly in this one, in the order of the file; marks all of them as known.
  std::vector<std::pair<std::string, TomlReader>> entries();

  bool has(std::string_view key) const;            // does not mark the key as known
  const toml::node* raw(std::string_view key);     // marks the key as known
  std::vector<std::string> keys() const;           // in the order of the file

  SourcePosition position() const;                  // of the table
  SourcePosition position(std::string_view key) const;  // of the key's value; of the table when absent
  const std::string& path() const { return path_; }
  Problems& problems() const { return *problems_; }
  // Complains at a key's value: "retry.jitter: 2 is out of range; expected 0 to 1".
  void complain(std::string_view key, std::string what);
  // Complains of every key that no getter has named, with the nearest known key. Call last.
  void finish();

 private:
  const toml::node* find(std::string_view key);
  std::string full_name(std::string_view key) const;

  const toml::table* table_;
  std::string path_;
  Problems* problems_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace postproof
