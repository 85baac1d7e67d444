#include "mta/base/toml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>

#include "mta/base/text.h"

namespace postproof {

namespace {

SourcePosition position_of(const toml::node& node) {
  const auto& begin = node.source().begin;
  return {begin.line, begin.column};
}

// In the order of the file: toml++ keeps tables sorted by key.
std::vector<std::pair<std::string, const toml::node*>> in_file_order(const toml::table& table) {
  std::vector<std::tuple<SourcePosition, std::string, const toml::node*>> all;
  for (const auto& [key, node] : table) {
    const auto& begin = key.source().begin;
    all.emplace_back(SourcePosition{begin.line, begin.column}, std::string(key.str()), &node);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return std::get<0>(a) < std::get<0>(b); });
  std::vector<std::pair<std::string, const toml::node*>> list;
  for (auto& [position, key, node] : all) list.emplace_back(std::move(key), node);
  return list;
}

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a number";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: return "a date";
    case toml::node_type::none: break;
  }
  return "nothing";
}

constexpr std::string_view kDurationForm = "a duration like \"30s\", \"15m\", \"2h30m\" or \"5d\"";

std::optional<Duration> duration_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return parse_duration(text->get());
  if (const auto* number = node.as_integer(); number != nullptr && number->get() == 0) return Duration{0};
  return std::nullopt;
}

// A key may hold a line end, and what is said of it is one line all the same.
std::string on_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    line += control ? escape(std::string_view(&c, 1)) : std::string(1, c);
  }
  return line;
}

}  // namespace

std::string Problem::to_string() const {
  const std::string told = on_one_line(what);
  if (position.line == 0) return fmt::format("{}: {}", file, told);
  return fmt::format("{}:{}:{}: {}", file, position.line, position.column, told);
}

void Problems::add(SourcePosition position, std::string what) {
  if (!full()) return list_.push_back(Problem{file_, position, std::move(what)});
  if (++omitted_ == 1) list_.push_back(Problem{file_, position, {}});
  list_.back().what = fmt::format("and {} more complaint{} of this file, the first of them here", omitted_,
                                  omitted_ == 1 ? "" : "s");
}

TomlReader::TomlReader(const toml::table& table, std::string path, Problems& problems)
    : table_(&table), path_(std::move(path)), problems_(&problems) {}

const toml::node* TomlReader::find(std::string_view key) {
  if (!known_.contains(key)) known_.emplace(key);
  return table_->get(key);
}

std::string TomlReader::full_name(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void TomlReader::complain(std::string_view key, std::string what) {
  problems_->add(position(key), full_name(key) + ": " + std::move(what));
}

std::optional<std::string> TomlReader::string(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* text = node->as_string()) return text->get();
  complain(key, fmt::format("expected a string, not {}", type_name(*node)));
  return std::nullopt;
}

std::optional<bool> TomlReader::boolean(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_boolean()) return value->get();
  complain(key, fmt::format("expected true or false, not {}", type_name(*node)));
  return std::nullopt;
}

std::optional<std::int64_t> TomlReader::integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  if (value == nullptr) {
    complain(key, fmt::format("expected an integer, not {}", type_name(*node)));
    return std::nullopt;
  }
  if (value->get() < min || value->get() > max) {
    complain(key, fmt::format("{} is out of range; expected {} to {}", value->get(), min, max));
    return std::nullopt;
  }
  return value->get();
}

std::optional<double> TomlReader::number(std::string_view key, double min, double max) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value<double>();
  if (!value || node->is_string()) {
    complain(key, fmt::format("expected a number, not {}", type_name(*node)));
    return std::nullopt;
  }
  if (!(*value >= min && *value <= max)) {
    complain(key, fmt::format("{} is out of range; expected {} to {}", *value, min, max));
    return std::nullopt;
  }
  return value;
}

std::optional<Duration> TomlReader::duration(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = duration_of(*node);
  if (!value) complain(key, fmt::format("expected {}", kDurationForm));
  return value;
}

std::optional<std::uint64_t> TomlReader::size(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* text = node->as_string()) {
    if (const auto value = parse_size(text->get())) return value;
  } else if (const auto* number = node->as_integer(); number != nullptr && number->get() >= 0) {
    return static_cast<std::uint64_t>(number->get());
  }
  complain(key, "expected a size like 4096, \"64KiB\" or \"10MiB\"");
  return std::nullopt;
}

std::optional<std::vector<std::string>> TomlReader::strings(std::string_view key) {
  auto located = located_strings(key);
  if (!located) return std::nullopt;
  std::vector<std::string> list;
  for (LocatedString& one : *located) list.push_back(std::move(one.text));
  return list;
}

std::optional<std::vector<LocatedString>> TomlReader::located_strings(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* text = node->as_string()) return std::vector<LocatedString>{{text->get(), position_of(*node)}};
  const auto* array = node->as_array();
  if (array == nullptr) {
    complain(key, fmt::format("expected a string or an array of strings, not {}", type_name(*node)));
    return std::nullopt;
  }
  std::vector<LocatedString> list;
  bool good = true;
  for (const toml::node& element : *array) {
    if (const auto* text = element.as_string()) {
      list.push_back({text->get(), position_of(element)});
    } else {
      problems_->add(position_of(element), fmt::format("{}: expected a string, not {}", full_name(key), type_name(element)));
      good = false;
    }
  }
  if (!good) return std::nullopt;
  return list;
}

std::optional<std::vector<Duration>> TomlReader::durations(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  std::vector<Duration> list;
  bool good = true;
  const auto take = [&](const toml::node& element) {
    if (const auto value = duration_of(element)) {
      list.push_back(*value);
    } else {
      problems_->add(position_of(element), fmt::format("{}: expected {}", full_name(key), kDurationForm));
      good = false;
    }
  };
  if (const auto* array = node->as_array()) {
    for (const toml::node& element : *array) take(element);
  } else {
    take(*node);
  }
  if (!good) return std::nullopt;
  return list;
}

std::optional<std::string> TomlReader::word(std::string_view key, const std::vector<std::string_view>& words) {
  auto text = string(key);
  if (!text) return std::nullopt;
  if (std::find(words.begin(), words.end(), *text) != words.end()) return text;
  const std::string_view near = nearest_word(*text, words);
  complain(key, fmt::format("\"{}\" is not known; expected {}{}", escape(*text), fmt::join(words, ", "),
                            near.empty() ? std::string() : fmt::format(" (did you mean \"{}\"?)", near)));
  return std::nullopt;
}

std::optional<TomlReader> TomlReader::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* inner = node->as_table()) return TomlReader(*inner, full_name(key), *problems_);
  complain(key, fmt::format("expected a table, not {}", type_name(*node)));
  return std::nullopt;
}

std::vector<TomlReader> TomlReader::tables(std::string_view key) {
  std::vector<TomlReader> list;
  const toml::node* node = find(key);
  if (node == nullptr) return list;
  const auto* array = node->as_array();
  if (array == nullptr) {
    complain(key, fmt::format("expected an array of tables, not {}", type_name(*node)));
    return list;
  }
  for (const toml::node& element : *array) {
    if (const auto* inner = element.as_table()) {
      list.emplace_back(*inner, full_name(key), *problems_);
    } else {
      problems_->add(position_of(element), fmt::format("{}: expected a table, not {}", full_name(key), type_name(element)));
    }
  }
  return list;
}

std::vector<std::pair<std::string, TomlReader>> TomlReader::named_tables(std::string_view key) {
  auto parent = table(key);
  if (!parent) return {};
  return parent->entries();
}

std::vector<std::pair<std::string, TomlReader>> TomlReader::entries() {
  std::vector<std::pair<std::string, TomlReader>> list;
  for (const auto& [key, node] : in_file_order(*table_)) {
    find(key);
    if (const auto* inner = node->as_table()) {
      list.emplace_back(key, TomlReader(*inner, full_name(key), *problems_));
    } else {
      complain(key, fmt::format("expected a table, not {}", type_name(*node)));
    }
  }
  return list;
}

bool TomlReader::has(std::string_view key) const { return table_->contains(key); }

const toml::node* TomlReader::raw(std::string_view key) { return find(key); }

std::vector<std::string> TomlReader::keys() const {
  std::vector<std::string> list;
  for (const auto& [key, node] : in_file_order(*table_)) list.push_back(key);
  return list;
}

SourcePosition TomlReader::position() const { return position_of(*table_); }

SourcePosition TomlReader::position(std::string_view key) const {
  const auto at = table_->find(key);
  if (at == table_->cend()) return position();
  const SourcePosition value = position_of(at->second);
  if (value.line != 0) return value;
  const auto& begin = at->first.source().begin;  // a value that was put in place of the file's own
  return {begin.line, begin.column};
}

void TomlReader::finish() {
  const std::vector<std::string_view> known(known_.begin(), known_.end());  // sorted
  for (const auto& [key, node] : *table_) {
    if (known_.contains(key.str())) continue;
    const auto& begin = key.source().begin;
    if (problems_->full()) {
      problems_->add({begin.line, begin.column}, {});
      continue;
    }
    const std::string_view near = nearest_word(key.str(), known);
    std::string expected;
    if (!near.empty()) {
      expected = fmt::format("; did you mean \"{}\"?", near);
    } else {
      expected = fmt::format("; known here: {}", fmt::join(known, ", "));
    }
    problems_->add({begin.line, begin.column},
                   fmt::format("unknown key \"{}\"{}", escape(full_name(key.str())), expected));
  }
}

}  // namespace postproof
