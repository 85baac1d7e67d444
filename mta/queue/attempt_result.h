// What came of one delivery attempt for one recipient: a stored value. deliver/outcome judges it; the
// progress record keeps it; DSN, log and queue listing print it. Text is made at the edge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "mta/base/result.h"
#include "mta/base/time.h"
#include "mta/mail/enhanced_status.h"
#include "mta/smtp/reply.h"

namespace postproof::queue {

// How far the attempt came. The numbers are stored: only append.
// storage: the message could not be read, and no host was asked. auth: logging in, between starttls and mail.
enum class Stage : std::uint8_t { resolve, connect, greeting, ehlo, starttls, mail, rcpt, data, dot, storage, auth };
std::string_view to_string(Stage stage);

struct AttemptResult {
  Stage stage = Stage::resolve;
  std::string host;      // the last one tried: "mx1.example.net"; empty when none was
  std::string endpoint;  // "192.0.2.1:25"; empty when none was dialed
  std::variant<smtp::Reply, Error> what;
  WallTime started{};
  WallTime ended{};
  // What is known as long as the attempt is settled; the spool does not keep it.
  std::string tls = "none";              // of the session (ClientSession::tls), for the log
  std::optional<EnhancedStatus> status{};  // of an error that has one of its own
  bool dsn = false;                      // the host offered DSN, and was told of which reports the sender wants

  bool operator==(const AttemptResult&) const = default;
};

// True: the attempt ended before the host looked at this message (no connection, a refused session, a
// session that broke off), so that a success of another message at the site is news for this one.
bool waits_for_site(const AttemptResult& result);

// "mx1.example.net [192.0.2.1]:25"; empty when no host was tried.
std::string host_text(const AttemptResult& result);
// What the peer said or what went wrong, its octets as they came: whoever shows it escapes it.
std::string reason_text(const AttemptResult& result);

}  // namespace postproof::queue
