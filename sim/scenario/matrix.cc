#include "sim/scenario/matrix.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

constexpr std::string_view kWhole = "whole";
constexpr std::size_t kValueMax = 1000;  // octets of one, as variants have them in their names

bool is_axis_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_alnum(c) || c == '_' || c == '-';
  });
}

SourcePosition position_of(const toml::node& node) {
  const auto& begin = node.source().begin;
  return {begin.line, begin.column};
}

std::optional<Matrix::Value> read_value(const toml::node& node) {
  if (const auto* text = node.as_string()) return Matrix::Value{text->get(), text->get()};
  if (const auto* number = node.as_integer()) return Matrix::Value{std::to_string(number->get()), number->get()};
  if (const auto* truth = node.as_boolean()) return Matrix::Value{truth->get() ? "true" : "false", truth->get()};
  return std::nullopt;
}

std::optional<std::size_t> segment_of(const Matrix::Value& value) {
  if (value.text == kWhole) return 0;
  const auto octets = parse_size(value.text);
  if (!octets || *octets < 1 || *octets > kSegmentMax) return std::nullopt;
  return static_cast<std::size_t>(*octets);
}

// What is wrong with a value of an axis; empty: nothing.
std::string value_trouble(std::string_view axis, const Matrix::Value& value) {
  if (value.text.empty() || value.text.size() > kValueMax || value.text.find_first_of("\r\n") != std::string::npos) {
    return "expected text of one line, an integer, true or false";
  }
  if (axis == "ip" && value.text != "v4" && value.text != "v6") return "the axis ip has \"v4\" and \"v6\"";
  if (axis == "segment" && !segment_of(value)) {
    return fmt::format("the axis segment has \"whole\" and octets from 1 to {}", kSegmentMax);
  }
  if (axis == "pipelining" && !std::holds_alternative<bool>(value.typed)) return "the axis pipelining has true and false";
  return "";
}

Matrix::Axis read_axis(TomlReader& table, const std::string& name) {
  Matrix::Axis axis{name, {}};
  const toml::node* node = table.raw(name);
  const auto* array = node->as_array();
  if (!is_axis_name(name)) table.complain(name, "expected a name of letters, digits, \"-\" and \"_\"");
  if (name == "disk_op") table.complain(name, "is the name of the variants that disk_op = \"each\" makes; expected another");
  if (array == nullptr || array->empty()) {
    table.complain(name, "expected a list of values, like [\"a\", \"b\"]");
    return axis;
  }
  for (const toml::node& element : *array) {
    auto value = read_value(element);
    std::string trouble = value ? value_trouble(name, *value) : "expected text, an integer, true or false";
    if (trouble.empty() && std::ranges::find(axis.values, value->text, &Matrix::Value::text) != axis.values.end()) {
      trouble = fmt::format("has \"{}\" twice", escape(value->text));
    }
    if (!trouble.empty()) {
      table.problems().add(position_of(element), fmt::format("matrix.{}: {}", name, trouble));
    } else {
      axis.values.push_back(std::move(*value));
    }
  }
  return axis;
}

// Replaces ${axis} in every string below a node.
class Filler {
 public:
  Filler(const std::vector<Matrix::Axis>& axes, const std::vector<const Matrix::Value*>& point, Problems& problems)
      : axes_(axes), point_(point), problems_(problems) {}

  void fill(toml::table& table, bool top) {
    std::vector<std::pair<std::string, const Matrix::Value*>> typed;
    for (auto&& [key, node] : table) {
      if (top && key == "matrix") continue;
      if (const Matrix::Value* value = whole(node)) {
        typed.emplace_back(key.str(), value);
      } else {
        fill(node);
      }
    }
    for (const auto& [key, value] : typed) {
      std::visit([&, &name = key](const auto& v) { table.insert_or_assign(name, v); }, value->typed);
    }
  }

 private:
  void fill(toml::node& node) {
    if (auto* table = node.as_table()) {
      fill(*table, false);
    } else if (auto* array = node.as_array()) {
      for (toml::node& element : *array) fill(element);
    } else if (auto* text = node.as_string(); text != nullptr && text->get().find("${") != std::string::npos) {
      *text = filled(text->get(), position_of(node));
    }
  }

  const Matrix::Value* value_of(std::string_view name) const {
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      if (axes_[i].name == name) return point_[i];
    }
    return nullptr;
  }

  // The value, if the string is nothing but an axis whose value is no text.
  const Matrix::Value* whole(const toml::node& node) const {
    const auto* text = node.as_string();
    if (text == nullptr) return nullptr;
    const std::string_view view = text->get();
    if (!view.starts_with("${") || !view.ends_with('}')) return nullptr;
    const Matrix::Value* value = value_of(view.substr(2, view.size() - 3));
    return value != nullptr && !std::holds_alternative<std::string>(value->typed) ? value : nullptr;
  }

  std::string filled(std::string_view text, SourcePosition position) {
    std::string out;
    while (true) {
      const std::size_t at = text.find("${");
      const std::size_t end = at == std::string_view::npos ? at : text.find('}', at);
      if (end == std::string_view::npos) return out += text;
      const std::string_view name = text.substr(at + 2, end - at - 2);
      const bool doubled = at > 0 && text[at - 1] == '$';
      out += text.substr(0, at);
      if (doubled) {
        out += text.substr(at + 1, end - at);
      } else if (const Matrix::Value* value = value_of(name)) {
        out += value->text;
      } else {
        if (is_axis_name(name)) complain(name, position);
        out += text.substr(at, end + 1 - at);
      }
      text.remove_prefix(end + 1);
    }
  }

  void complain(std::string_view name, SourcePosition position) {
    std::vector<std::string_view> known;
    for (const Matrix::Axis& axis : axes_) known.push_back(axis.name);
    const std::string_view near = nearest_word(name, known);
    std::string expected = "expected none: the scenario has no matrix";
    if (!near.empty()) {
      expected = fmt::format("did you mean \"{}\"?", near);
    } else if (!known.empty()) {
      expected = fmt::format("expected {}", fmt::join(known, ", "));
    }
    problems_.add(position, fmt::format("no axis of the matrix is named \"{}\"; {} (\"$${{\" stands for \"${{\")", name, expected));
  }

  const std::vector<Matrix::Axis>& axes_;
  const std::vector<const Matrix::Value*>& point_;
  Problems& problems_;
};

}  // namespace

Matrix Matrix::read(TomlReader& top) {
  Matrix matrix;
  auto table = top.table("matrix");
  if (!table) return matrix;
  std::size_t size = 1;
  for (const std::string& name : table->keys()) {
    Axis axis = read_axis(*table, name);
    if (axis.values.empty()) continue;
    size *= axis.values.size();
    if (size > kVariantsOfMatrixMax) {
      table->complain(name, fmt::format("makes more than {} variants", kVariantsOfMatrixMax));
      return Matrix{};
    }
    matrix.axes_.push_back(std::move(axis));
  }
  if (table->keys().empty()) top.complain("matrix", "expected at least one axis, like ip = [\"v4\", \"v6\"]");
  return matrix;
}

std::size_t Matrix::size() const {
  std::size_t size = 1;
  for (const Axis& axis : axes_) size *= axis.values.size();
  return size;
}

std::vector<const Matrix::Value*> Matrix::point(std::size_t n) const {
  std::vector<const Value*> values(axes_.size());
  for (std::size_t i = axes_.size(); i-- > 0; n /= axes_[i].values.size()) {
    values[i] = &axes_[i].values[n % axes_[i].values.size()];
  }
  return values;
}

std::vector<VariantValue> Matrix::variant(std::size_t n) const {
  std::vector<VariantValue> list;
  const auto values = point(n);
  for (std::size_t i = 0; i < axes_.size(); ++i) list.push_back(VariantValue{axes_[i].name, values[i]->text});
  return list;
}

MatrixSettings Matrix::settings(std::size_t n) const {
  MatrixSettings settings;
  const auto values = point(n);
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (axes_[i].name == "ip") settings.v6 = values[i]->text == "v6";
    if (axes_[i].name == "segment") settings.segment = segment_of(*values[i]);
    if (axes_[i].name == "pipelining") settings.pipelining = std::get<bool>(values[i]->typed);
  }
  return settings;
}

void Matrix::fill_in(toml::table& file, std::size_t n, Problems& problems) const {
  const auto values = point(n);
  Filler(axes_, values, problems).fill(file, true);
}

}  // namespace postproof::sim
