#include "sim/explore/shrink.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "mta/base/time.h"

namespace postproof::sim {

namespace {

using document::Array;
using document::Document;
using document::Section;
using document::Table;
using document::Value;
using namespace std::chrono_literals;

// The parts of a document in one fixed order, so that a number names the same part of a copy.
struct Parts {
  std::vector<Table*> tables;
  std::vector<Array*> arrays;
  std::vector<Value*> values;  // neither

  Parts(Document& document, const std::vector<std::string_view>& kept) {
    for (document::Entry& entry : document.head.entries) {
      if (std::ranges::find(kept, entry.key) == kept.end()) visit(entry.value);
    }
    for (Section& section : document.sections) visit(section.body);
  }

 private:
  void visit(Table& table) {
    tables.push_back(&table);
    for (document::Entry& entry : table.entries) visit(entry.value);
  }
  void visit(Value& value) {
    if (auto* table = value.as<Table>()) return visit(*table);
    auto* array = value.as<Array>();
    if (array == nullptr) return values.push_back(&value);
    arrays.push_back(array);
    for (Value& one : *array) visit(one);
  }
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

// Down to whole units of the greatest kind that it has: 1h17m30s, 1h.
Duration rounded(Duration duration) {
  for (const Duration unit : {Duration{24h}, Duration{1h}, Duration{1min}, Duration{1s}, Duration{1ms}}) {
    if (duration >= unit) return duration / unit * unit;
  }
  return Duration{0};
}

// Smaller values to try, the smallest first.
std::vector<Value> smaller(const Value& value) {
  std::vector<Value> list;
  if (const auto* number = value.as<std::int64_t>()) {
    for (const std::int64_t one : {std::int64_t{0}, std::int64_t{1}, *number / 2, *number - 1}) {
      if (one >= 0 && one < *number) list.emplace_back(one);
    }
    return list;
  }
  const auto* text = value.as<std::string>();
  if (text == nullptr) return list;
  if (const auto duration = parse_duration(*text)) {
    for (const Duration one : {Duration{0}, Duration{1s}, Duration{1min}, Duration{1h}, rounded(*duration / 2), rounded(*duration)}) {
      if (one < *duration) list.emplace_back(format_duration(one));
    }
  } else if (const auto size = parse_size(*text)) {
    if (*size > 1) list.emplace_back(static_cast<std::int64_t>(*size / 2));
  }
  return list;
}

class Shrinker {
 public:
  Shrinker(Document document, const std::function<Attempt(const Document&)>& attempt, std::size_t runs_max,
           const std::vector<std::string_view>& kept)
      : document_(std::move(document)), attempt_(attempt), runs_max_(runs_max), kept_(kept) {}

  Shrunk shrink() {
    for (bool smaller = true; smaller && runs_ < runs_max_;) {
      const Document before = document_;
      drop_sections();
      drop_entries();
      drop_keys();
      drop_lines();
      lessen_values();
      smaller = document_ != before;
    }
    return Shrunk{std::move(document_), runs_};
  }

 private:
  bool try_one(Document candidate) {
    if (runs_ >= runs_max_ || candidate == document_) return false;
    const Attempt came = attempt_(candidate);
    if (came == Attempt::spent) runs_max_ = runs_;
    if (came == Attempt::other || came == Attempt::same) ++runs_;
    if (came != Attempt::same) return false;
    document_ = std::move(candidate);
    return true;
  }

  // Without pieces of `count` things, in ever smaller pieces, from the end: what stands late leans on what stands early.
  // `without` makes the document that lacks [begin, end); `count` is asked again after each success.
  template <class Count, class Without>
  void drop_pieces(const Count& count, const Without& without, std::size_t at_least_left) {
    for (std::size_t piece = std::max<std::size_t>(count(), 1); piece > 0; piece /= 2) {
      for (std::size_t end = count(); end > 0;) {
        const std::size_t begin = end > piece ? end - piece : 0;
        if (count() - (end - begin) >= at_least_left) try_one(without(begin, end));
        end = begin;
      }
    }
  }

  void drop_sections() {
    const auto count = [&] { return document_.sections.size(); };
    const auto without = [&](std::size_t begin, std::size_t end) {
      Document copy = document_;
      copy.sections.erase(copy.sections.begin() + static_cast<std::ptrdiff_t>(begin),
                          copy.sections.begin() + static_cast<std::ptrdiff_t>(end));
      return copy;
    };
    drop_pieces(count, without, 1);
  }

  void drop_entries() {
    for (std::size_t i = 0; i < parts(document_).arrays.size(); ++i) {
      const auto count = [&] { return i < parts(document_).arrays.size() ? parts(document_).arrays[i]->size() : 0; };
      const auto without = [&](std::size_t begin, std::size_t end) {
        Document copy = document_;
        Array& array = *parts(copy).arrays[i];
        array.erase(array.begin() + static_cast<std::ptrdiff_t>(begin), array.begin() + static_cast<std::ptrdiff_t>(end));
        return copy;
      };
      drop_pieces(count, without, 1);
    }
  }

  void drop_keys() {
    for (std::size_t j = document_.head.entries.size(); j-- > 0;) {
      if (std::ranges::find(kept_, document_.head.entries[j].key) != kept_.end()) continue;
      Document copy = document_;
      copy.head.entries.erase(copy.head.entries.begin() + static_cast<std::ptrdiff_t>(j));
      try_one(std::move(copy));
    }
    for (std::size_t i = 0; i < parts(document_).tables.size(); ++i) {
      for (std::size_t j = parts(document_).tables[i]->entries.size(); j-- > 0;) {
        const std::string& key = parts(document_).tables[i]->entries[j].key;
        if (std::ranges::find(kept_, key) != kept_.end()) continue;
        Document copy = document_;
        auto& entries = parts(copy).tables[i]->entries;
        entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(j));
        try_one(std::move(copy));
      }
    }
  }

  void drop_lines() {
    const std::size_t values = parts(document_).values.size();
    for (std::size_t i = 0; i < values; ++i) {
      const auto lines = [&] {
        const auto* text = parts(document_).values[i]->as<std::string>();
        return text == nullptr || text->find('\n') == std::string::npos ? std::vector<std::string>{} : lines_of(*text);
      };
      const auto count = [&] { return lines().size(); };
      const auto without = [&](std::size_t begin, std::size_t end) {
        std::string left;
        const std::vector<std::string> all = lines();
        for (std::size_t line = 0; line < all.size(); ++line) {
          if (line < begin || line >= end) left += all[line];
        }
        Document copy = document_;
        *parts(copy).values[i] = Value(std::move(left));
        return copy;
      };
      drop_pieces(count, without, 0);
    }
  }

  void lessen_values() {
    const std::size_t values = parts(document_).values.size();
    for (std::size_t i = 0; i < values; ++i) {
      for (bool less = true; less;) {
        less = false;
        for (const Value& value : smaller(*parts(document_).values[i])) {
          Document copy = document_;
          *parts(copy).values[i] = value;
          less = try_one(std::move(copy));
          if (less) break;
        }
      }
    }
  }

  Parts parts(Document& document) const { return Parts(document, kept_); }

  Document document_;
  const std::function<Attempt(const Document&)>& attempt_;
  std::size_t runs_max_;
  const std::vector<std::string_view>& kept_;
  std::size_t runs_ = 0;
};

}  // namespace

Shrunk shrink(Document document, const std::function<Attempt(const Document&)>& attempt, std::size_t runs_max,
              const std::vector<std::string_view>& kept) {
  return Shrinker(std::move(document), attempt, runs_max, kept).shrink();
}

}  // namespace postproof::sim
