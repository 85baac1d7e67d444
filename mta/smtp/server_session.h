// One session of the SMTP server (RFC 5321 section 3): greeting, order of commands, replies in their order,
// content. Grammar is command.h's and data_decoder.h's; who may send what to whom, and storing, is the
// Intake's; the 250 to the final dot is the Intake's and nobody else's.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mta/auth/channel.h"
#include "mta/env/env.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "mta/smtp/command.h"
#include "mta/smtp/content_pace.h"
#include "mta/smtp/content_receiver.h"
#include "mta/smtp/intake.h"
#include "mta/smtp/line_reader.h"
#include "mta/smtp/settings.h"

namespace postproof::auth {
class Authenticator;
class Exchange;
}  // namespace postproof::auth

namespace postproof::smtp {

class ServerSession {
 public:
  // `session`: its number in events. `logins`: null, AUTH is not there. `env`, `settings` and `logins` outlive the session.
  ServerSession(Env& env, const ServerSettings& settings, std::unique_ptr<Stream> stream,
                std::unique_ptr<Intake> intake, std::uint64_t session, auth::Authenticator* logins = nullptr);
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  // From the greeting to the end of the connection. Once.
  Task<void> run();

  // Ends the session with 421 4.3.2: at once when it waits for a command; otherwise at the next point between
  // commands, which content under way reaches within kStopGrace or is abandoned. A commit is waited for.
  void stop();

  const Endpoint& peer() const { return info_.peer; }

  static constexpr Duration kStopGrace = 10s;

 private:
  static constexpr std::string_view kClientRefused = "no mail is taken from your address";

  enum class Waiting : std::uint8_t { no, for_command, for_content, for_write };

  void read_from_stream();
  Task<void> converse();
  Task<bool> greet();
  void say_greeting(std::string_view why);
  bool refused() const;
  bool may_tell_clients() const;
  std::expected<Command, Reply> understand(const LineReader::Line& line) const;
  Task<bool> fill(Deadline deadline, Waiting waiting);
  Task<bool> flush();
  Task<void> slow_down();
  Task<Woken> hold_up(Duration delay);
  Task<void> end_by_error(Error error);
  Task<void> farewell();

  Task<void> handle(Command command);
  Task<void> on(command::Hello hello);
  Task<void> on(command::Mail mail);
  Task<void> on(command::Rcpt rcpt);
  Task<void> on(command::Data data);
  Task<void> on(command::Bdat bdat);
  Task<void> on(command::Rset rset);
  Task<void> on(command::Noop noop);
  Task<void> on(command::Vrfy vrfy);
  Task<void> on(command::Etrn etrn);
  Task<void> on(command::Help help);
  Task<void> on(command::StartTls start);
  Task<void> on(command::Auth auth);
  Task<void> on(command::Xclient xclient);
  Task<void> on(command::Quit quit);
  std::optional<Reply> refuse_tls() const;
  bool held_too_long(const MailParams& params) const;
  bool held_past_its_time(const MailParams& params) const;
  Task<void> secure();
  Task<void> receive();
  Reply nobody_to_get_it() const;
  std::optional<Reply> refuse_chunk() const;
  Task<bool> read_chunk(std::uint64_t size, bool kept);
  Task<bool> await_content();
  void conclude(Reply reply);
  static std::string shown(std::string_view line);
  std::optional<Reply> refuse_auth() const;
  Task<void> log_in(std::string mechanism, auth::Exchange& exchange, std::optional<std::string> response);
  Task<std::optional<std::string>> hear_response();
  Task<void> fail_login();
  void tell_auth(std::string_view mechanism, std::string_view login, std::string_view result);

  Reply hello_reply() const;
  // The extensions that stand: after HELO none, and before either what EHLO will bring.
  Capabilities offered() const;
  void drop_transaction();
  void start_over();
  // Queues a reply. A refusal counts, and the one too many becomes 421.
  void answer(Reply reply);
  void say(const Reply& reply);
  // Queues a last reply, and ends the session behind it.
  void end(const Reply& reply, std::string_view reason);
  bool junk();
  Deadline until(Duration timeout) const;

  Env& env_;
  const ServerSettings& settings_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Intake> intake_;
  auth::Authenticator* logins_;
  SessionInfo info_;
  auth::Channel channel_;
  std::optional<LineReader> reader_;  // of the stream that stands
  std::string out_;  // replies that wait for the end of a group (RFC 2920 section 3.2)
  Deadline session_deadline_ = kNever;

  bool refusing_ = false;     // no mail from this client: 503 to all but QUIT
  bool greeted_ = false;      // EHLO or HELO has been accepted
  bool transaction_ = false;  // MAIL has been accepted
  bool utf8_ = false;         // and has said SMTPUTF8
  unsigned recipients_ = 0;   // accepted in this transaction
  bool recipients_refused_ = false;
  std::optional<ContentReceiver> content_;  // of this transaction, from 354 or the first BDAT on
  bool chunk_refused_ = false;              // nothing of this transaction is taken any more (RFC 3030 section 2)
  ContentPace pace_;
  unsigned errors_ = 0;  // refused commands since the last accepted message
  unsigned transactions_ = 0;
  bool slow_ = false;    // the next reply waits
  unsigned failed_logins_ = 0;
  unsigned junk_ = 0;    // commands that lead nowhere, since the last accepted message

  bool ending_ = false;
  std::string reason_;  // of the close event
  Waiting waiting_ = Waiting::no;
  bool stopping_ = false;
  bool farewell_said_ = false;
  Wakeup ended_;
  Wakeup hurry_;  // ends hold_up()
  TaskGroup group_;
};

}  // namespace postproof::smtp
