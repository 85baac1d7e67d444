#include "mta/queue/attempt_result.h"

#include <fmt/format.h>

#include "mta/base/text.h"

namespace postproof::queue {

namespace {

// "192.0.2.1:25" and "[2001:db8::1]:25" behind a name: "[192.0.2.1]:25", "[2001:db8::1]:25".
std::string bracketed(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  if (endpoint.starts_with('[') || colon == std::string::npos) return endpoint;
  return fmt::format("[{}]{}", endpoint.substr(0, colon), endpoint.substr(colon));
}

}  // namespace

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::resolve: return "resolve";
    case Stage::connect: return "connect";
    case Stage::greeting: return "greeting";
    case Stage::ehlo: return "ehlo";
    case Stage::starttls: return "starttls";
    case Stage::mail: return "mail";
    case Stage::rcpt: return "rcpt";
    case Stage::data: return "data";
    case Stage::dot: return "dot";
    case Stage::storage: return "storage";
    case Stage::auth: return "auth";
  }
  return "unknown";
}

bool waits_for_site(const AttemptResult& result) {
  if (const auto* reply = std::get_if<smtp::Reply>(&result.what)) {
    return reply->code == 421 || result.stage < Stage::mail || result.stage == Stage::auth;
  }
  switch (std::get<Error>(result.what).code) {
    case Errc::timed_out:
    case Errc::refused:
    case Errc::unreachable:
    case Errc::reset:
    case Errc::unexpected_eof:
    case Errc::protocol:
    case Errc::dns_temporary:
      // RFC 5321 section 4.5.3.2.6: behind the dot the message may have been taken; haste would double it.
      return result.stage != Stage::dot;
    default: return false;
  }
}

std::string host_text(const AttemptResult& result) {
  if (result.endpoint.empty()) return result.host;
  const std::string at = bracketed(result.endpoint);
  // An address literal is its own name.
  if (result.host.empty() || result.host.starts_with('[')) return at;
  return result.host + " " + at;
}

std::string reason_text(const AttemptResult& result) {
  if (const auto* reply = std::get_if<smtp::Reply>(&result.what)) return reply->to_string();
  return std::get<Error>(result.what).what;
}

}  // namespace postproof::queue
