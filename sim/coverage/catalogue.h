// The catalogue of cases that a suite of scenarios is to show: catalogue.toml, [[group]] with id and title, [[case]]
// with id (the group's letters and a number), clause, level and text. Everything wrong with it is told as
// FILE:LINE:COLUMN.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.h"

namespace postproof::sim {

struct CatalogueCase {
  std::string id;
  std::string clause;              // as people write it: "5321 4.5.5", or of RFC 5321 without its number
  std::string level;               // M must, S should, P practice or policy, H about the harness
  std::string text;                // given, required
  std::vector<std::string> tests;  // what besides scenarios shows it, where worlds cannot show it whole
};

struct CatalogueGroup {
  std::string id;
  std::string title;
  std::vector<CatalogueCase> cases;
};

struct Catalogue {
  std::string file;
  std::vector<CatalogueGroup> groups;

  const CatalogueCase* find(std::string_view id) const;
};

std::expected<Catalogue, std::vector<Problem>> load_catalogue(std::string_view file, std::string_view text);

// Of each id in the scenario's `cases` that the catalogue does not have.
std::vector<Problem> check_cases(const Scenario& scenario, const Catalogue& catalogue);

}  // namespace postproof::sim
