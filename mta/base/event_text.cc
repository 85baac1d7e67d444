#include "mta/base/event_text.h"

#include <fmt/format.h>

#include <type_traits>

#include "mta/base/text.h"

namespace postproof {

namespace {

template <class T>
std::string value_text(const T& value) {
  if constexpr (std::is_same_v<T, Duration>) {
    return format_duration(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return std::to_string(value);
  } else {
    return std::string(value);
  }
}

// Bare where a shell's `awk` and a person read it without doubt, quoted otherwise.
void append_text_value(std::string& line, std::string_view value) {
  const std::string safe = escape(value);
  const bool plain = !safe.empty() && safe.find_first_of(" \"=\\") == std::string::npos;
  if (plain) {
    line += safe;
    return;
  }
  line += '"';
  for (const char c : safe) {
    if (c == '"') line += '\\';
    line += c;
  }
  line += '"';
}

// Octets above 0x7f become U+0080 to U+00FF, so that any octets make valid JSON.
void append_json_string(std::string& line, std::string_view value) {
  line += '"';
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (octet < 0x20 || octet >= 0x7f) {
      line += fmt::format("\\u{:04x}", octet);
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

std::string event_to_text(const Event& event) {
  std::string line(event_name(event));
  std::visit(
      [&](const auto& e) {
        e.visit([&](std::string_view key, const auto& value) {
          const std::string text = value_text(value);
          line += ' ';
          line += key;
          line += '=';
          append_text_value(line, text);
        });
      },
      event);
  return line;
}

std::string event_to_json(const Event& event, WallTime time) {
  std::string line = "{\"time\":\"" + format_rfc3339(time) + "\",\"event\":";
  append_json_string(line, event_name(event));
  std::visit(
      [&](const auto& e) {
        e.visit([&](std::string_view key, const auto& value) {
          using T = std::remove_cvref_t<decltype(value)>;
          line += ',';
          append_json_string(line, key);
          line += ':';
          if constexpr (std::is_same_v<T, Duration>) {
            line += fmt::format("{:.6f}", std::chrono::duration<double>(value).count());
          } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t>) {
            line += value_text(value);
          } else {
            append_json_string(line, value);
          }
        });
      },
      event);
  line += '}';
  return line;
}

std::vector<std::pair<std::string, std::string>> event_fields(const Event& event) {
  std::vector<std::pair<std::string, std::string>> fields;
  std::visit(
      [&](const auto& e) {
        e.visit([&](std::string_view key, const auto& value) {
          std::string text = value_text(value);
          fields.emplace_back(std::string(key), std::move(text));
        });
      },
      event);
  return fields;
}

}  // namespace postproof
