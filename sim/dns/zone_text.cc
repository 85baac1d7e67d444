#include "sim/dns/zone_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// One entry's text on one line. A blank in front stays: it means "the same owner as before".
struct LogicalLine {
  std::uint32_t line = 0;
  std::string text;
};

// Joins what parentheses hold together and drops comments; both are only what they are outside of quotes.
Result<std::vector<LogicalLine>> join_lines(std::string_view text) {
  std::vector<LogicalLine> lines;
  LogicalLine now{1, {}};
  std::uint32_t line = 1;
  unsigned depth = 0;
  std::uint32_t opened = 0;  // where the outermost parenthesis or the quote stands
  bool quoted = false;
  const auto end_line = [&] {
    if (!trim(now.text).empty()) lines.push_back(std::move(now));
    now = LogicalLine{line + 1, {}};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (c == '\n') {
      if (quoted) return fail(Errc::invalid, fmt::format("line {}: the quote does not end on its line", opened));
      if (depth == 0)
        end_line();
      else
        now.text += ' ';
      ++line;
    } else if (c == '\\' && i + 1 < text.size() && text[i + 1] != '\n') {
      now.text += c;
      now.text += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
      if (depth == 0) opened = line;
      now.text += c;
    } else if (quoted) {
      now.text += c;
    } else if (c == ';') {
      while (i + 1 < text.size() && text[i + 1] != '\n') ++i;
    } else if (c == '(') {
      if (depth++ == 0) opened = line;
      now.text += ' ';
    } else if (c == ')') {
      if (depth-- == 0) return fail(Errc::invalid, fmt::format("line {}: \")\" without \"(\"", line));
      now.text += ' ';
    } else {
      now.text += c;
    }
  }
  if (quoted) return fail(Errc::invalid, fmt::format("line {}: the quote does not end", opened));
  if (depth != 0) return fail(Errc::invalid, fmt::format("line {}: \"(\" without \")\"", opened));
  end_line();
  return lines;
}

// Takes the first word off.
std::string_view take_word(std::string_view& rest) {
  rest = trim(rest);
  std::size_t end = 0;
  while (end < rest.size() && !is_blank(rest[end])) end += rest[end] == '\\' ? 2 : 1;
  end = std::min(end, rest.size());
  const std::string_view word = rest.substr(0, end);
  rest = trim(rest.substr(end));
  return word;
}

// "3600", "1h", "1h30m", in seconds (RFC 1035; the units are BIND's).
std::optional<std::uint32_t> parse_ttl(std::string_view word) {
  constexpr std::uint64_t kTtlMax = 0x7fffffff;  // RFC 2181 section 8
  if (word.empty() || word.front() < '0' || word.front() > '9') return std::nullopt;
  std::uint64_t total = 0;
  std::uint64_t number = 0;
  bool pending = false;
  for (const char c : word) {
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<std::uint64_t>(c - '0');
      pending = true;
    } else {
      constexpr std::string_view kUnits = "smhdw";
      constexpr std::uint64_t kSeconds[] = {1, 60, 3600, 86'400, 604'800};
      const auto unit = kUnits.find(ascii_lower(c));
      if (unit == std::string_view::npos || !pending) return std::nullopt;
      total += number * kSeconds[unit];
      number = 0;
      pending = false;
    }
    if (number > kTtlMax || total > kTtlMax) return std::nullopt;
  }
  total += number;
  if (total > kTtlMax) return std::nullopt;
  return static_cast<std::uint32_t>(total);
}

class Reader {
 public:
  explicit Reader(Duration default_ttl)
      : ttl_(static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(default_ttl).count())) {}

  // Complains without a line; an entry is appended, a directive obeyed.
  std::expected<void, std::string> read(const LogicalLine& line, std::vector<ZoneEntry>& entries) {
    std::string_view rest = line.text;
    if (line.text.starts_with('$')) return directive(rest);

    ZoneEntry entry;
    entry.line = line.line;
    if (!is_blank(line.text.front())) owner_ = take_word(rest);
    if (owner_.empty()) return std::unexpected("no owner name, and none before");
    entry.owner = owner_;
    entry.origin = origin_;
    entry.ttl = ttl_;
    // RFC 1035 section 5.1: TTL and class in any order, both optional.
    bool has_ttl = false;
    bool has_class = false;
    for (;;) {
      std::string_view after = rest;
      const std::string_view word = take_word(after);
      if (const auto ttl = parse_ttl(word); ttl && !has_ttl) {
        entry.ttl = *ttl;
        has_ttl = true;
      } else if (equal_ignoring_case(word, "IN") && !has_class) {
        has_class = true;
      } else if (equal_ignoring_case(word, "CH") || equal_ignoring_case(word, "HS")) {
        return std::unexpected(fmt::format("class {}: expected IN", word));
      } else {
        break;
      }
      rest = after;
    }
    if (trim(rest).empty()) return std::unexpected(fmt::format("{}: expected a type and its data", entry.owner));
    entry.data = trim(rest);
    entries.push_back(std::move(entry));
    return {};
  }

 private:
  std::expected<void, std::string> directive(std::string_view rest) {
    const std::string_view name = take_word(rest);
    const std::string_view value = take_word(rest);
    if (!rest.empty()) return std::unexpected(fmt::format("{}: expected one value", name));
    if (equal_ignoring_case(name, "$TTL")) {
      const auto ttl = parse_ttl(value);
      if (!ttl) return std::unexpected(fmt::format("$TTL {}: expected seconds, or a time like 1h", value));
      ttl_ = *ttl;
      return {};
    }
    if (equal_ignoring_case(name, "$ORIGIN")) {
      if (!value.ends_with('.')) {
        return std::unexpected(fmt::format("$ORIGIN {}: expected a name with a dot at its end", value));
      }
      origin_ = value;
      return {};
    }
    return std::unexpected(fmt::format("{}: expected $ORIGIN or $TTL", name));
  }

  std::uint32_t ttl_;
  std::string origin_;
  std::string owner_;
};

}  // namespace

Result<std::vector<ZoneEntry>> read_zone_text(std::string_view text, Duration default_ttl) {
  const Result<std::vector<LogicalLine>> lines = join_lines(text);
  if (!lines) return std::unexpected(lines.error());
  std::vector<ZoneEntry> entries;
  Reader reader(default_ttl);
  for (const LogicalLine& line : *lines) {
    const std::expected<void, std::string> done = reader.read(line, entries);
    if (!done) return fail(Errc::invalid, fmt::format("line {}: {}", line.line, done.error()));
  }
  return entries;
}

}  // namespace postproof::sim
