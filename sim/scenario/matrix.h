// The matrix of a scenario: axes with values, of which every combination is a variant. Axes named ip, segment and
// pipelining set the network and the MTAs; any axis is ${name} in the strings of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

inline constexpr std::size_t kVariantsOfMatrixMax = 4096;

// What the built-in axes say; none: as the scenario says otherwise.
struct MatrixSettings {
  std::optional<bool> v6;                  // ip: the family of hosts that are given no addresses
  std::optional<std::size_t> segment;      // octets; 0: whole
  std::optional<bool> pipelining;          // of the MTAs' clients and servers
};

class Matrix {
 public:
  struct Value {
    std::string text;
    std::variant<std::string, std::int64_t, bool> typed;
  };
  struct Axis {
    std::string name;
    std::vector<Value> values;
  };

  // The key `matrix` of a file's top table; without one there is one variant, and it has no name.
  static Matrix read(TomlReader& top);

  std::size_t size() const;
  // The nth from 0; the last axis changes fastest.
  std::vector<VariantValue> variant(std::size_t n) const;
  MatrixSettings settings(std::size_t n) const;

  // Puts the nth variant's values into the strings of the file: ${axis} becomes the value, $${ becomes ${. A string
  // that is ${axis} and nothing else becomes a value of the axis's own type. Everything keeps its place in the file.
  void fill_in(toml::table& file, std::size_t n, Problems& problems) const;

 private:
  std::vector<const Value*> point(std::size_t n) const;

  std::vector<Axis> axes_;
};

}  // namespace postproof::sim
