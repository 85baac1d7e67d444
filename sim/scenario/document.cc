#include "sim/scenario/document.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "mta/base/text.h"

namespace postproof::sim::document {

namespace {

// --- reading

template <class Node>
auto position_of(const Node& node) {
  const auto& begin = node.source().begin;
  return std::pair(begin.line, begin.column);
}

std::optional<Value> read_value(const toml::node& node);

// toml++ keeps tables sorted by key.
using Entries = std::vector<std::pair<const toml::key*, const toml::node*>>;

std::optional<Table> read_entries(Entries entries) {
  std::ranges::stable_sort(entries, {}, [](const auto& one) { return position_of(*one.first); });
  Table read;
  for (const auto& [key, node] : entries) {
    auto value = read_value(*node);
    if (!value) return std::nullopt;
    read.entries.push_back(Entry{std::string(key->str()), std::move(*value)});
  }
  return read;
}

std::optional<Table> read_table(const toml::table& table) {
  Entries entries;
  for (const auto& [key, node] : table) entries.emplace_back(&key, &node);
  return read_entries(std::move(entries));
}

std::optional<Value> read_value(const toml::node& node) {
  if (const auto* text = node.as_string()) return Value(text->get());
  if (const auto* number = node.as_integer()) return Value(number->get());
  if (const auto* number = node.as_floating_point()) return Value(number->get());
  if (const auto* boolean = node.as_boolean()) return Value(boolean->get());
  if (const auto* table = node.as_table()) {
    auto read = read_table(*table);
    return read ? std::optional(Value(std::move(*read))) : std::nullopt;
  }
  if (const auto* moment = node.as_date_time()) {
    std::ostringstream text;
    text << moment->get();
    return Value(text.str());
  }
  const auto* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  Array list;
  for (const toml::node& one : *array) {
    auto value = read_value(one);
    if (!value) return std::nullopt;
    list.push_back(std::move(*value));
  }
  return Value(std::move(list));
}

bool all_tables(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    return !table->empty() && std::ranges::all_of(*table, [](const auto& entry) { return entry.second.is_table(); });
  }
  const auto* array = node.as_array();
  return array != nullptr && !array->empty() &&
         std::ranges::all_of(*array, [](const toml::node& one) { return one.is_table(); });
}

// Sections as they stand in the file, whatever their kinds.
class SectionReader {
 public:
  bool read(std::string kind, std::string name, bool list, const toml::table& table) {
    auto body = read_table(table);
    if (!body) return false;
    found_.push_back(Found{position_of(table), Section{std::move(kind), std::move(name), list, std::move(*body)}});
    return true;
  }
  std::vector<Section> in_file_order() {
    std::ranges::stable_sort(found_, {}, &Found::position);
    std::vector<Section> sections;
    for (Found& one : found_) sections.push_back(std::move(one.section));
    return sections;
  }

 private:
  struct Found {
    std::pair<toml::source_index, toml::source_index> position;
    Section section;
  };
  std::vector<Found> found_;
};

// --- writing

std::string basic_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

bool has_control(std::string_view text, std::string_view but) {
  return std::ranges::any_of(text, [&](char c) {
    return (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) && but.find(c) == std::string_view::npos;
  });
}

// A text between single quotes knows no escapes: it is written as it is wherever that can be.
std::string string_text(std::string_view text, bool may_have_lines) {
  if (may_have_lines && text.find('\n') != std::string_view::npos && text.find("'''") == std::string_view::npos &&
      !text.ends_with('\'') && !has_control(text, "\n\t")) {
    return fmt::format("'''\n{}'''", text);
  }
  const bool escapes = text.find_first_of("\"\\") != std::string_view::npos;
  if (escapes && text.find('\'') == std::string_view::npos && !has_control(text, "")) return fmt::format("'{}'", text);
  return basic_string(text);
}

std::string key_text(std::string_view key) {
  const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
    return is_alnum(c) || c == '-' || c == '_';
  });
  return bare ? std::string(key) : basic_string(key);
}

std::string inline_text(const Value& value);

std::string inline_text(const Table& table) {
  std::string text;
  for (const Entry& entry : table.entries) {
    text += fmt::format("{}{} = {}", text.empty() ? " " : ", ", key_text(entry.key), inline_text(entry.value));
  }
  return text.empty() ? "{}" : "{" + text + " }";
}

std::string inline_text(const Value& value) {
  if (const auto* boolean = value.as<bool>()) return *boolean ? "true" : "false";
  if (const auto* number = value.as<std::int64_t>()) return fmt::format("{}", *number);
  if (const auto* number = value.as<double>()) {
    std::string text = fmt::format("{}", *number);
    return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
  }
  if (const auto* text = value.as<std::string>()) return string_text(*text, false);
  if (const auto* table = value.as<Table>()) return inline_text(*table);
  std::string text;
  for (const Value& one : *value.as<Array>()) text += (text.empty() ? "" : ", ") + inline_text(one);
  return "[" + text + "]";
}

// An array of tables, a line for each: a peer's rules.
std::string lines_of_tables(const Array& array) {
  std::string text = "[\n";
  for (const Value& one : array) text += fmt::format("  {},\n", inline_text(one));
  return text + "]";
}

std::string value_text(const Value& value) {
  if (const auto* text = value.as<std::string>()) return string_text(*text, true);
  const auto* array = value.as<Array>();
  const bool tables = array != nullptr && array->size() > 1 &&
                      std::ranges::all_of(*array, [](const Value& one) { return one.as<Table>() != nullptr; });
  return tables ? lines_of_tables(*array) : inline_text(value);
}

void write_lines(const Table& table, const std::string& prefix, bool dotted, std::string& out) {
  std::size_t width = 0;  // of the keys: the signs stand below each other
  for (const Entry& entry : table.entries) {
    if (entry.value.as<Table>() == nullptr || !dotted) width = std::max(width, key_text(entry.key).size());
  }
  for (const Entry& entry : table.entries) {
    const std::string key = prefix + key_text(entry.key);
    const auto* inner = entry.value.as<Table>();
    if (inner != nullptr && dotted && !inner->entries.empty()) {
      write_lines(*inner, key + ".", dotted, out);
    } else {
      out += fmt::format("{:{}} = {}\n", key, prefix.size() + width, value_text(entry.value));
    }
  }
}

}  // namespace

Table::Table() = default;
Table::~Table() = default;
Table::Table(const Table& other) = default;
Table::Table(Table&& other) noexcept = default;
Table& Table::operator=(const Table& other) = default;
Table& Table::operator=(Table&& other) noexcept = default;

Value* Table::find(std::string_view key) {
  const auto at = std::ranges::find(entries, key, &Entry::key);
  return at == entries.end() ? nullptr : &at->value;
}

const Value* Table::find(std::string_view key) const {
  const auto at = std::ranges::find(entries, key, &Entry::key);
  return at == entries.end() ? nullptr : &at->value;
}

std::string_view Table::text(std::string_view key) const {
  const Value* value = find(key);
  const auto* text = value == nullptr ? nullptr : value->as<std::string>();
  return text == nullptr ? std::string_view{} : std::string_view{*text};
}

void Table::set(std::string_view key, Value value) {
  if (Value* there = find(key)) {
    *there = std::move(value);
  } else {
    entries.push_back(Entry{std::string(key), std::move(value)});
  }
}

void Table::erase(std::string_view key) {
  std::erase_if(entries, [&](const Entry& entry) { return entry.key == key; });
}

bool Table::operator==(const Table& other) const { return entries == other.entries; }

std::optional<Document> parse(std::string_view text) {
  toml::table parsed;
  try {
    parsed = toml::parse(text);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
  Entries head;
  SectionReader sections;
  for (const auto& [key, node] : parsed) {
    const std::string kind(key.str());
    const toml::table* table = node.as_table();
    bool good = true;
    if (all_tables(node) && table == nullptr) {
      for (const toml::node& one : *node.as_array()) good = good && sections.read(kind, "", true, *one.as_table());
    } else if (all_tables(node)) {
      for (const auto& [name, one] : *table) {
        good = good && sections.read(kind, std::string(name.str()), false, *one.as_table());
      }
    } else if (table != nullptr && !table->is_inline()) {
      good = sections.read(kind, "", false, *table);
    } else {
      head.emplace_back(&key, &node);
    }
    if (!good) return std::nullopt;
  }
  auto read_head = read_entries(std::move(head));
  if (!read_head) return std::nullopt;
  return Document{std::move(*read_head), sections.in_file_order()};
}

std::string write(const Document& document) {
  std::string out;
  write_lines(document.head, "", false, out);
  for (const Section& section : document.sections) {
    const std::string name = section.name.empty() ? section.kind : section.kind + "." + key_text(section.name);
    if (!out.empty()) out += '\n';
    out += section.list ? fmt::format("[[{}]]\n", name) : fmt::format("[{}]\n", name);
    write_lines(section.body, "", !section.list, out);
  }
  return out;
}

}  // namespace postproof::sim::document
