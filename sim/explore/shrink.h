// Makes a failing scenario smaller as long as it fails in the same way: delta debugging (Zeller and Hildebrandt, 2002) on
// the tree of the document. Sections go first (faults, messages, hosts), then entries of lists (recipients, rules) and keys,
// then lines of texts; times and numbers become smaller and rounder. No draw of chance is in it.
#pragma once

#include <cstddef>
#include <functional>

#include "sim/scenario/document.h"

namespace postproof::sim {

enum class Attempt : std::uint8_t {
  invalid,  // no scenario: nothing was run
  other,    // it passes, or fails in another way
  same,     // it fails in the same way
  spent,    // nothing was run, and nothing will be: what is smallest so far stays
};

struct Shrunk {
  document::Document document;
  std::size_t runs = 0;
};

// `attempt` is called until nothing smaller fails, its effort is spent, or it has run `runs_max` times. `kept`: keys that
// stay.
Shrunk shrink(document::Document document, const std::function<Attempt(const document::Document&)>& attempt,
              std::size_t runs_max, const std::vector<std::string_view>& kept);

}  // namespace postproof::sim
