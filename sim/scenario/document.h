// A scenario's file as a tree of values, in the order of the file: what tools that change scenarios work on.
// They need not know what a key means, so that a new word of the language is theirs too. Comments are lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postproof::sim::document {

struct Value;
struct Entry;
using Array = std::vector<Value>;

class Table {
 public:
  std::vector<Entry> entries;  // no key twice

  // In the source file: here an Entry is not known yet.
  Table();
  ~Table();
  Table(const Table& other);
  Table(Table&& other) noexcept;
  Table& operator=(const Table& other);
  Table& operator=(Table&& other) noexcept;

  Value* find(std::string_view key);
  const Value* find(std::string_view key) const;
  // The text under a key; empty when there is none.
  std::string_view text(std::string_view key) const;
  // Behind the others, if the key is new.
  void set(std::string_view key, Value value);
  void erase(std::string_view key);
  bool operator==(const Table& other) const;
};

struct Value {
  std::variant<bool, std::int64_t, double, std::string, Array, Table> is;

  Value(bool value) : is(value) {}
  Value(std::int64_t value) : is(value) {}
  Value(double value) : is(value) {}
  Value(std::string value) : is(std::move(value)) {}
  Value(const char* value) : is(std::string(value)) {}
  Value(Array value) : is(std::move(value)) {}
  Value(Table value) : is(std::move(value)) {}

  template <class T> T* as() { return std::get_if<T>(&is); }
  template <class T> const T* as() const { return std::get_if<T>(&is); }
  bool operator==(const Value& other) const = default;
};

struct Entry {
  std::string key;
  Value value;
  bool operator==(const Entry& other) const = default;
};

// [dns], [peer.mx1] (kind "peer", name "mx1"), or one of several [[at]] (list).
struct Section {
  std::string kind, name;
  bool list = false;
  Table body;
  bool operator==(const Section& other) const = default;
};

struct Document {
  Table head;  // what stands above all sections
  std::vector<Section> sections;
  bool operator==(const Document& other) const = default;
};

// None: the text is no TOML. A date with a time becomes the text of it, which the loader takes as well; others have no
// place in a scenario, and give none too.
std::optional<Document> parse(std::string_view text);

// As people write scenarios: a line for each key, ''' around text of several lines, tables of a list's section between
// braces, all others dotted. parse() gives the same document back.
std::string write(const Document& document);

}  // namespace postproof::sim::document
