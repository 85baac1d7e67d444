// One connection to one peer, as a client: greeting, EHLO, any number of mail transactions, QUIT (RFC 5321
// sections 3.1, 3.3, 4.3.2; RFC 2920 for groups of commands; RFC 3030 for content in chunks). It tells what was said and
// what went wrong, recipient by recipient; what that means for the message is decided elsewhere (deliver/outcome).
// LMTP (RFC 2033) is the same but for its LHLO, and for one reply a recipient where SMTP has one to the whole message.
//
// A session is never in doubt about whose reply it reads: as soon as it would be (a lost connection, 421, a
// reply that has no place, octets behind a reply), it is closed, and every recipient that has no reply of
// its own gets what ended the session. Where the replies to a group do not fit its commands, nobody has.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mta/auth/mechanism.h"
#include "mta/env/env.h"
#include "mta/env/task_group.h"
#include "mta/mail/envelope.h"
#include "mta/smtp/capabilities.h"
#include "mta/smtp/content_source.h"
#include "mta/smtp/line_reader.h"
#include "mta/smtp/reply.h"
#include "mta/smtp/settings.h"

namespace postproof::auth {
class ClientExchange;
}

namespace postproof::smtp {

// How far a session came. The same values as queue::Stage. auth: logging in, between starttls and mail.
enum class ClientStage : std::uint8_t { resolve, connect, greeting, ehlo, starttls, mail, rcpt, data, dot, auth = 10 };
std::string_view to_string(ClientStage stage);

// What was said, or what went wrong, at a stage. Delivered is exactly: stage dot and a positive reply. An
// error at stage dot is ambiguous: the peer may have taken the message. One at stage data is not.
struct ClientResult {
  ClientStage stage = ClientStage::connect;
  std::variant<Reply, Error> what;
  std::optional<EnhancedStatus> status{};  // of an error that has one of its own: what the message needs, and the peer lacks
};

enum class Protocol : std::uint8_t { smtp, lmtp };

struct Transaction {
  std::string message;     // queue id, for events
  Envelope envelope;       // of this transaction: at least one recipient
  std::uint64_t size = 0;  // of the content, for SIZE= (RFC 1870): CRLF counted, dot-stuffing not
};

class ClientSession {
 public:
  // `host`: the name that is dialed, for events and error texts. `env` and `settings` outlive the session.
  ClientSession(Env& env, const ClientSettings& settings, std::uint64_t session, std::string host,
                Protocol protocol = Protocol::smtp);
  ~ClientSession();  // as close(); no call may be under way
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // Dials, reads the greeting and says EHLO; HELO when EHLO gets a 5yz (RFC 5321 section 3.2); STARTTLS as `tls` says, and
  // EHLO again; AUTH if the settings have credentials (RFC 4954). Once, first. The error says at which of connect,
  // greeting, ehlo, starttls, auth it ended; the session is then good for quit() only. With TlsLevel::may an error at
  // starttls does not mean that the host takes nothing in the clear: that takes another session, with TlsLevel::none.
  Task<std::expected<void, ClientResult>> connect(Endpoint to, TlsLevel tls);

  // One mail transaction. Returns one result a recipient, in their order. Parameters of the envelope are said where the
  // peer offers their extension. What the peer cannot take (too large for its SIZE, 8-bit without 8BITMIME, UTF-8 without
  // SMTPUTF8) fails at stage mail with Errc::too_large or Errc::invalid, before a command is sent; the session stays
  // usable. `content` must outlive the call.
  // An error of `content` cuts the connection before the final dot and is the result, at stage data.
  Task<std::vector<ClientResult>> deliver(Transaction transaction, ContentSource& content);

  // Makes sure that another transaction may begin: sends RSET if the last one stands unfinished. False: the
  // session is at its end. deliver() does this by itself; a failure then becomes the result at stage mail.
  Task<bool> reset();

  // Connected, in step, and not told to go away.
  bool usable() const { return state_ == State::ready; }
  const Capabilities& capabilities() const { return capabilities_; }
  // "none", or version, cipher and what was found of the certificate.
  const std::string& tls() const { return tls_; }
  const Endpoint& peer() const { return peer_; }
  std::uint64_t session() const { return session_; }

  // Says QUIT if the session is in step, waits at most quit_timeout for anything to come back, and closes.
  Task<void> quit();
  // Closes at once. May be called while another call is under way, which then ends with Errc::closed; one that dials
  // does so when its dialing has ended.
  void close();

 private:
  enum class State : std::uint8_t { unconnected, in_step, ready, lost };
  using What = std::variant<Reply, Error>;
  struct Group;

  Task<std::expected<void, ClientResult>> hello();
  Task<std::expected<void, ClientResult>> start_tls(TlsLevel level);
  Task<std::optional<ClientResult>> secure(TlsLevel level);
  Task<std::expected<void, ClientResult>> log_in();
  Task<What> exchange_login(auth::Mechanism mechanism, auth::ClientExchange& exchange);
  void tell_auth(std::string_view mechanism, std::string_view result);
  void read_from_stream();
  Task<std::optional<What>> begin_transaction();
  Task<void> ask_one_by_one(Group& group, const Transaction& transaction);
  Task<void> ask_as_group(Group& group, const Transaction& transaction);
  Task<void> read_group(Group& group);
  Task<void> send_lone_dot();
  bool in_chunks() const { return capabilities_.chunking && settings_.chunking; }
  Task<void> transfer(Group& group, const Transaction& transaction, ContentSource& content);
  Task<void> transfer_in_chunks(Group& group, const Transaction& transaction, ContentSource& content);
  Task<bool> settle_chunks(Group& group, unsigned& unanswered, unsigned most);
  Task<void> read_verdicts(Group& group, std::string_view name);

  // Each of these closes the session when it gives an error or 421.
  // `shown`: what the log has of the command; empty: all of it.
  Task<What> ask(std::string command, std::string_view name, Duration timeout, std::string shown = {});
  Task<What> answer(std::string_view name, Duration timeout);
  Task<std::optional<What>> unasked();
  Task<What> last_words(std::string_view name, Error error);

  Task<Result<Reply>> read_reply(Deadline deadline);
  Task<void> write_behind(Group& group, std::string octets);
  What protocol_error(std::string_view name, const Reply& reply);
  What drop(std::string_view name, Error error);
  std::optional<ClientResult> refuse_locally(const Transaction& transaction) const;
  std::string mail_line(const Transaction& transaction) const;
  void emit_command(std::string_view line);
  void lose(std::string_view reason);
  Deadline in(Duration timeout) const { return env_.clock.mono() + timeout; }

  Env& env_;
  const ClientSettings& settings_;
  std::uint64_t session_;
  std::string host_;
  Protocol protocol_;
  Endpoint peer_;
  State state_ = State::unconnected;
  std::unique_ptr<Stream> stream_;
  std::optional<LineReader> reader_;
  TaskGroup writers_;
  Capabilities capabilities_;
  std::string tls_ = "none";
  bool transaction_open_ = false;  // MAIL was taken, and neither content nor RSET has followed
};

}  // namespace postproof::smtp
