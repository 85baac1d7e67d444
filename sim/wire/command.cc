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

std::optional<WireChunk> parse_chunk(const WireCommand& command) {
  if (command.verb != "BDAT") return std::nullopt;
  const std::string_view argument = command.argument;
  const std::size_t blank = argument.find(' ');
  const auto size = parse_decimal(argument.substr(0, blank));
  if (!size) return std::nullopt;
  WireChunk chunk{static_cast<std::size_t>(*size), false};
  if (blank != std::string_view::npos) {
    chunk.last = equal_ignoring_case(trim(argument.substr(blank)), "LAST");
    if (!chunk.last) return std::nullopt;
  }
  return chunk;
}

std::optional<std::size_t> proxy_header_size(std::string_view octets) {
  constexpr std::string_view kText = "PROXY ";
  constexpr std::string_view kBinary("\r\n\r\n\0\r\nQUIT\n", 12);
  constexpr std::size_t kBinaryStart = 16;  // its last two octets say how many follow
  if (octets.starts_with(kText)) {
    const std::size_t end = octets.find("\r\n");
    return end == std::string_view::npos ? std::nullopt : std::optional(end + 2);
  }
  if (octets.starts_with(kBinary)) {
    if (octets.size() < kBinaryStart) return std::nullopt;
    const auto octet = [&](std::size_t at) -> std::size_t { return static_cast<unsigned char>(octets[at]); };
    const std::size_t size = kBinaryStart + (octet(14) << 8) + octet(15);
    return octets.size() < size ? std::nullopt : std::optional(size);
  }
  const bool may_become_one = kText.starts_with(octets) || kBinary.starts_with(octets);
  return may_become_one ? std::nullopt : std::optional(std::size_t{0});
}

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
