#include "sim/judge/identity.h"

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

constexpr std::string_view kReceived = "received:";
constexpr std::string_view kReturnPath = "return-path:";
constexpr std::string_view kDate = "date:";
constexpr std::string_view kMessageId = "message-id:";

// Behind the line that begins at `at`.
std::size_t next_line(std::string_view text, std::size_t at) {
  const std::size_t end = text.find('\n', at);
  return end == std::string_view::npos ? text.size() : end + 1;
}

// Each line end a CRLF, whatever it was.
std::string mended(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      out += "\r\n";
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    } else if (text[i] == '\n') {
      out += "\r\n";
    } else {
      out += text[i];
    }
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

// The content below the field at its top, if that is of this name.
std::string_view below_field(std::string_view content, std::string_view name) {
  if (!starts_with_ignoring_case(content, name)) return content;
  std::size_t at = next_line(content, 0);
  while (at < content.size() && (content[at] == ' ' || content[at] == '\t')) at = next_line(content, at);
  return content.substr(at);
}

}  // namespace

std::string_view below_first_received(std::string_view content) { return below_field(content, kReceived); }

std::string_view below_trace(std::string_view content) { return below_received(below_field(content, kReturnPath)); }

std::string_view below_completion(std::string_view content) {
  return below_field(below_field(content, kDate), kMessageId);
}

std::string_view below_received(std::string_view content) {
  while (true) {
    const std::string_view below = below_first_received(content);
    if (below.size() == content.size()) return content;
    content = below;
  }
}

bool has_bare_newline(std::string_view content) {
  for (;;) {
    const std::size_t lf = content.find('\n');
    const std::size_t cr = content.substr(0, lf).find('\r');
    if (lf == std::string_view::npos) return cr != std::string_view::npos;
    if (cr == std::string_view::npos || cr + 1 != lf) return true;
    content.remove_prefix(lf + 1);
  }
}

std::string mailbox_key(std::string_view address) {
  // A source route in front is no part of the mailbox (RFC 5321 section 4.1.1.3, appendix C).
  if (address.starts_with('@')) {
    if (const std::size_t colon = address.find(':'); colon != std::string_view::npos) address.remove_prefix(colon + 1);
  }
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return std::string(address);
  return std::string(address.substr(0, at)) + ascii_lower(address.substr(at));
}

bool mailbox_matches(std::string_view pattern, std::string_view address) {
  return glob_match(mailbox_key(pattern), mailbox_key(address));
}

std::size_t Identities::of(std::string_view content) {
  std::string_view key = below_received(content);
  const bool unended = !key.empty() && !key.ends_with("\r\n");
  if (unended || has_bare_newline(key)) key = mended_.emplace_back(mended(key));
  if (completes_ && numbers_.find(key) == nullptr) {
    if (const std::size_t* known = numbers_.find(below_completion(key))) return *known;
  }
  numbers_.try_emplace(key, numbers_.size());
  return *numbers_.find(key);
}

}  // namespace postproof::sim
