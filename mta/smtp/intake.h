// What an SMTP server session asks about what comes in: may this sender, this recipient, this message?
// The session owns grammar and state; the answers, checks and storing are the Intake's (mta/intake).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "mta/base/endpoint.h"
#include "mta/env/task.h"
#include "mta/smtp/parameters.h"
#include "mta/smtp/reply.h"

namespace postproof::smtp {

struct SessionInfo {
  std::uint64_t session = 0;  // as in events
  Endpoint local;
  Endpoint peer;             // the client, as a proxy has told it where one stands between
  std::string peer_name;     // of it, as such a proxy has told it; empty: not known
  std::string helo;    // argument of the last EHLO or HELO; empty before
  bool esmtp = false;  // it was EHLO
  bool submission = false;  // the listener is one for submission (RFC 6409)
  std::string login;   // whom the client has shown to be (RFC 4954), in prepared form; empty: nobody
  std::string tls;     // version and cipher: "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty in the clear
};

// Octets of content: owned, at most limits::kChunk.
using Chunk = std::string;

// One message on its way in. write() until all is there, then commit() or abandon(). Content is CRLF
// lines, dot-unstuffed, with no bare CR or LF, ending in CRLF unless empty.
class Incoming {
 public:
  virtual ~Incoming() = default;  // as abandon()
  // An error is kept until commit(), whose reply tells it: the session reads on to the final dot.
  virtual Task<void> write(Chunk chunk) = 0;
  // A 250 means: durable, and ours. Anything else means: nothing was kept.
  virtual Task<Reply> commit() = 0;
  virtual void abandon() = 0;
};

// One a session; calls come one at a time.
class Intake {
 public:
  virtual ~Intake() = default;
  // A positive reply opens the transaction. The session has checked the grammar and the order.
  virtual Task<Reply> mail(const SessionInfo& session, MailParams params) = 0;
  virtual Task<Reply> rcpt(RcptParams params) = 0;
  // After DATA with at least one accepted recipient. The error is the reply to DATA instead of 354.
  virtual Task<std::expected<std::unique_ptr<Incoming>, Reply>> begin() = 0;
  // ETRN (RFC 1985): what waits for this domain, lower case, and with `subdomains` for those below it, is tried now. The reply
  // to the command.
  virtual Task<Reply> start_queue(const SessionInfo& session, std::string domain, bool subdomains) = 0;
  // Drops the transaction: RSET, EHLO, end of the session. Nothing when none is open.
  virtual void reset() = 0;
};

class IntakeFactory {
 public:
  virtual ~IntakeFactory() = default;
  virtual std::unique_ptr<Intake> open() = 0;
};

}  // namespace postproof::smtp
