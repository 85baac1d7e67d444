#include "mta/mail/trace.h"

#include "mta/base/limits.h"
#include "mta/base/text.h"

namespace postproof {

namespace {

// A name that a client has said: what could close a comment or a clause is written as "?".
std::string harmless(std::string_view name) {
  std::string text(name.substr(0, limits::kDomain));
  for (char& c : text) {
    const bool good = is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
    if (!good) c = '?';
  }
  return text.empty() ? "unknown" : text;
}

}  // namespace

std::string received_field(const Received& received) {
  std::string field = "Received: from " + harmless(received.helo);
  if (received.client) {
    const std::string name = received.client_name.empty() ? "" : harmless(received.client_name) + " ";
    field += " (" + name + received.client->to_literal() + ")";
  }
  field += "\r\n\tby " + received.by + " with " + received.with;
  if (!received.tls.empty()) field += " (" + received.tls + ")";
  field += " id " + received.id.to_string();
  if (received.only_recipient) field += "\r\n\tfor <" + received.only_recipient->to_string() + ">";
  field += ";\r\n\t" + format_rfc5322(received.when) + "\r\n";
  return field;
}

}  // namespace postproof
