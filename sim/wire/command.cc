#include "sim/wire/command.h"

#include "mta/base/text.h"

namespace postproof::sim {
namespace {

// The place of the first octet of `wanted` outside of a quoted string (RFC 5321 section 4.1.2); npos: none.
std::size_t find_unquoted(std::string_view text, std::string_view wanted) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && wanted.find(c) != std::string_view::npos) {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<WirePath> parse_path(std::string_view text) {
  text = trim(text);
  if (text.starts_with('<')) {
    const std::size_t end = find_unquoted(text, ">");
    if (end == std::string_view::npos) return std::nullopt;
    return WirePath{std::string(text.substr(1, end - 1)), std::string(trim(text.substr(end + 1)))};
  }
  const std::size_t end = find_unquoted(text, " \t");
  if (end == std::string_view::npos) return WirePath{std::string(text), {}};
  return WirePath{std::string(text.substr(0, end)), std::string(trim(text.substr(end)))};
}

WireCommand parse_command(std::string_view line) {
  WireCommand command;
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  command.verb = ascii_upper(line.substr(0, end));
  command.argument = std::string(trim(line.substr(end)));
  std::string_view keyword;
  if (command.verb == "MAIL") keyword = "FROM:";
  if (command.verb == "RCPT") keyword = "TO:";
  if (!keyword.empty() && starts_with_ignoring_case(command.argument, keyword)) {
    const std::string_view behind = trim(std::string_view(command.argument).substr(keyword.size()));
    if (auto path = behind.empty() ? std::nullopt : parse_path(behind)) {
      command.has_path = true;
      command.address = std::move(path->address);
      command.parameters = std::move(path->parameters);
    }
  }
  return command;
}

}  // namespace postproof::sim
