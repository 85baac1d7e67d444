#include "mta/smtp/reply.h"

#include <fmt/format.h>

#include "mta/base/check.h"
#include "mta/base/text.h"

namespace postproof::smtp {

namespace {

// RFC 5321 section 4.2: textstring is HT and printable US-ASCII.
char wire_octet(char c) {
  const auto octet = static_cast<unsigned char>(c);
  if (octet >= 0x80) return '?';
  return octet < 0x20 || octet == 0x7f ? ' ' : c;
}

}  // namespace

Reply Reply::of(int code, std::string_view status, std::string text) {
  PP_CHECK(code >= 200 && code <= 599, "a reply code that SMTP does not have");
  Reply reply{code, std::nullopt, {}};
  if (!status.empty()) {
    reply.status = EnhancedStatus::parse(status);
    PP_CHECK(reply.status && reply.status->klass == code / 100, "an enhanced code that does not go with its reply");
  }
  reply.lines.push_back(std::move(text));
  return reply;
}

std::string Reply::to_wire() const {
  PP_CHECK(!lines.empty(), "a reply without a line");
  const std::string status_text = status ? status->to_string() : std::string();
  std::string wire;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool last = i + 1 == lines.size();
    wire += fmt::format("{}{}", code, last ? ' ' : '-');
    wire += status_text;
    if (status && !lines[i].empty()) wire += ' ';
    for (const char c : lines[i]) wire += wire_octet(c);
    wire += "\r\n";
  }
  return wire;
}

std::string Reply::text() const {
  std::string joined = status ? status->to_string() : std::string();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) {
      joined += " | ";
    } else if (status && !lines[i].empty()) {
      joined += ' ';
    }
    joined += lines[i];
  }
  return joined;
}

std::string Reply::to_string() const {
  const std::string behind = text();
  return behind.empty() ? fmt::format("{}", code) : fmt::format("{} {}", code, behind);
}

}  // namespace postproof::smtp
