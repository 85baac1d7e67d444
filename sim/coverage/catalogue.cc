#include "sim/coverage/catalogue.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

const std::vector<std::string_view> kLevels = {"M", "S", "P", "H"};

std::string required(TomlReader& table, std::string_view key) {
  auto text = table.string(key);
  if (!table.has(key)) table.problems().add(table.position(), fmt::format("{}: expected \"{}\"", table.path(), key));
  return text.value_or("");
}

// "AB05" is of group "AB".
std::string_view letters_of(std::string_view id) { return id.substr(0, id.find_first_of("0123456789")); }

bool is_id(std::string_view id) {
  const std::string_view letters = letters_of(id);
  return !letters.empty() && parse_decimal(id.substr(letters.size())).has_value() &&
         std::all_of(letters.begin(), letters.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

void read_group(TomlReader table, Catalogue& catalogue) {
  CatalogueGroup group;
  group.id = required(table, "id");
  group.title = required(table, "title");
  table.finish();
  catalogue.groups.push_back(std::move(group));
}

void read_case(TomlReader table, Catalogue& catalogue) {
  CatalogueCase one;
  one.id = required(table, "id");
  one.clause = required(table, "clause");
  one.level = table.word("level", kLevels).value_or("");
  one.text = required(table, "text");
  one.tests = table.strings("tests").value_or(std::vector<std::string>{});
  table.finish();
  if (!table.has("id") || one.id.empty()) return;
  if (!is_id(one.id)) {
    table.complain("id", "expected the letters of a group and a number, like \"B05\"");
    return;
  }
  if (catalogue.find(one.id) != nullptr) {
    table.complain("id", fmt::format("\"{}\" stands twice", one.id));
    return;
  }
  const auto group = std::find_if(catalogue.groups.begin(), catalogue.groups.end(),
                                  [&](const CatalogueGroup& g) { return g.id == letters_of(one.id); });
  if (group == catalogue.groups.end()) {
    table.complain("id", fmt::format("no [[group]] has the id \"{}\"", letters_of(one.id)));
    return;
  }
  group->cases.push_back(std::move(one));
}

}  // namespace

const CatalogueCase* Catalogue::find(std::string_view id) const {
  for (const CatalogueGroup& group : groups) {
    for (const CatalogueCase& one : group.cases) {
      if (one.id == id) return &one;
    }
  }
  return nullptr;
}

std::expected<Catalogue, std::vector<Problem>> load_catalogue(std::string_view file, std::string_view text) {
  Problems problems{std::string(file)};
  toml::table parsed;
  try {
    parsed = toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    problems.add({error.source().begin.line, error.source().begin.column}, std::string(error.description()));
    return std::unexpected(problems.list());
  }
  Catalogue catalogue;
  catalogue.file = file;
  TomlReader top(parsed, "", problems);
  for (TomlReader& table : top.tables("group")) read_group(std::move(table), catalogue);
  for (TomlReader& table : top.tables("case")) read_case(std::move(table), catalogue);
  top.finish();
  if (!problems.empty()) return std::unexpected(problems.list());
  return catalogue;
}

std::vector<Problem> check_cases(const Scenario& scenario, const Catalogue& catalogue) {
  std::vector<std::string_view> known;
  for (const CatalogueGroup& group : catalogue.groups) {
    for (const CatalogueCase& one : group.cases) known.push_back(one.id);
  }
  std::vector<Problem> problems;
  for (const LocatedString& id : scenario.cases) {
    if (catalogue.find(id.text) != nullptr) continue;
    const std::string_view near = nearest_word(id.text, known);
    const std::string hint = near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near);
    problems.push_back({scenario.file, id.position,
                        fmt::format("cases: \"{}\" is not in {}{}", escape(id.text), catalogue.file, hint)});
  }
  return problems;
}

}  // namespace postproof::sim
