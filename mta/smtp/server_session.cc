#include "mta/smtp/server_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/limits.h"
#include "mta/smtp/data_decoder.h"
#include "mta/tls/stream.h"

namespace postproof::smtp {

namespace {

constexpr std::size_t kBufferSize = 16 * 1024;
constexpr std::size_t kRepliesMax = 16 * 1024;  // octets of replies that wait for the end of a group
// Commands that change nothing or start again (NOOP, HELP, VRFY, RSET, EHLO) before a message must have come.
constexpr unsigned kJunkMax = 100;
constexpr Duration kLastReplyTimeout = 5s;  // a client that does not read has no right to more

}  // namespace

ServerSession::ServerSession(Env& env, const ServerSettings& settings, std::unique_ptr<Stream> stream,
                             std::unique_ptr<Intake> intake, std::uint64_t session)
    : env_(env),
      settings_(settings),
      stream_(std::move(stream)),
      intake_(std::move(intake)),
      ended_(env),
      group_(env.executor) {
  read_from_stream();
  info_.session = session;
  info_.local = stream_->local();
  info_.peer = stream_->peer();
}

void ServerSession::read_from_stream() {
  reader_.emplace(*stream_, LineReader::LineEnd::crlf, limits::kCommandLine, kBufferSize);
}

Task<void> ServerSession::run() {
  const std::string peer = info_.peer.to_string();
  env_.events.emit(event::Connect{info_.session, event::Direction::in, {}, peer, "ok"});
  session_deadline_ = env_.clock.mono() + settings_.session_timeout;

  co_await converse();

  drop_transaction();
  ended_.notify();
  co_await group_.join();  // a farewell that is being written
  stream_->close();
  env_.events.emit(event::Close{info_.session, event::Direction::in, reason_});
}

Task<void> ServerSession::converse() {
  if (!co_await greet()) co_return;

  Deadline deadline = until(settings_.command_timeout);
  while (!ending_) {
    if (stopping_) {
      end(Reply::of(421, "4.3.2", settings_.hostname + " is shutting down"), "shutting down");
      break;
    }
    const auto line = reader_->try_line();
    if (!line) {
      // RFC 2920 section 3.2: replies to a group go out together, at the latest when nothing of it is left.
      if (!co_await flush()) co_return;
      if (stopping_) continue;
      if (!co_await fill(deadline, Waiting::for_command)) co_return;
      continue;
    }
    env_.events.emit(event::Command{info_.session, event::Direction::in, line->text});
    if (is_another_protocol(line->text)) {
      end(Reply::of(421, "4.7.0", "this is SMTP"), "not SMTP");
      break;
    }
    auto command = understand(*line);
    if (command) {
      co_await handle(std::move(*command));
    } else {
      answer(std::move(command.error()));
    }
    if (out_.size() > kRepliesMax && !co_await flush()) co_return;
    deadline = until(settings_.command_timeout);
  }
  co_await flush();
}

// RFC 5321 sections 3.1 and 4.2; the greeting has no enhanced code (RFC 2034 section 4). Octets that came before it are
// read behind it, in order. False: the session is at its end.
Task<bool> ServerSession::greet() {
  refusing_ = refused();
  std::string_view why = "no mail is taken from your address";
  if (!refusing_ && settings_.greeting_delay > Duration::zero()) {
    waiting_ = Waiting::for_command;
    const auto early = co_await reader_->fill(until(settings_.greeting_delay));
    waiting_ = Waiting::no;
    if (farewell_said_) co_return false;
    if (!early && early.error().code != Errc::timed_out) {
      co_await end_by_error(early.error());
      co_return false;
    }
    if (early && !*early) {
      reason_ = "closed by peer";
      co_return false;
    }
    // RFC 5321 section 4.3.1: a client waits for the greeting. One that does not is no mail system.
    refusing_ = early.has_value();
    why = "you spoke before the greeting";
  }
  say(refusing_ ? Reply::of(554, "", fmt::format("{} {}", settings_.hostname, why))
                : Reply::of(220, "", settings_.hostname + " ESMTP Postproof"));
  co_return co_await flush();
}

bool ServerSession::refused() const {
  if (info_.peer.kind() != Endpoint::Kind::ip) return false;
  return std::any_of(settings_.refused_clients.begin(), settings_.refused_clients.end(),
                     [this](const IpNetwork& network) { return network.contains(info_.peer.address()); });
}

std::expected<Command, Reply> ServerSession::understand(const LineReader::Line& line) const {
  if (line.overlong) return std::unexpected(Reply::of(500, "5.5.2", "line too long"));  // RFC 5321 section 4.5.3.1.9
  // Before EHLO the order is what is wrong with MAIL, not its parameters.
  auto command = parse_command(line.text, info_.esmtp || !greeted_);
  // RFC 5321 section 3.1: who was greeted by 554 gets 503 to all but QUIT.
  const bool quits = command && std::holds_alternative<command::Quit>(*command);
  if (refusing_ && !quits) return std::unexpected(Reply::of(503, "5.5.1", "no mail is taken from you; say QUIT"));
  return command;
}

// Waits for octets; false: the session is at its end.
Task<bool> ServerSession::fill(Deadline deadline, Waiting waiting) {
  waiting_ = waiting;
  auto more = co_await reader_->fill(deadline);
  waiting_ = Waiting::no;
  if (farewell_said_) co_return false;
  if (more && *more) co_return true;
  if (more) {
    reason_ = "closed by peer";
  } else {
    co_await end_by_error(std::move(more.error()));
  }
  co_return false;
}

// RFC 5321 section 4.5.3.2.7: a client that says nothing is told why it is sent away.
Task<void> ServerSession::end_by_error(Error error) {
  if (error.code == Errc::timed_out) {
    const bool whole = env_.clock.mono() >= session_deadline_;
    end(Reply::of(421, "4.4.2", whole ? "the session took too long" : "timed out waiting for you"), "timed out");
    co_await flush();
    co_return;
  }
  reason_ = error.code == Errc::closed && stopping_ ? "shutting down" : to_string(error.code);
}

// Writes the replies that wait; false: the client cannot be reached any more.
Task<bool> ServerSession::flush() {
  if (farewell_said_) co_return false;
  if (out_.empty()) co_return true;
  const std::string replies = std::exchange(out_, {});
  const Deadline deadline = ending_ ? env_.clock.mono() + kLastReplyTimeout : until(settings_.command_timeout);
  waiting_ = Waiting::for_write;
  const auto written = co_await stream_->write_all(replies, deadline);
  waiting_ = Waiting::no;
  if (written) co_return true;
  if (reason_.empty()) reason_ = to_string(written.error().code);
  co_return false;
}

void ServerSession::stop() {
  if (stopping_) return;
  stopping_ = true;
  group_.spawn(farewell());
}

// What ends a session that waits for its client, or that does not come to the end of its content.
Task<void> ServerSession::farewell() {
  if (waiting_ != Waiting::for_command) {
    const Woken woken = co_await ended_.wait(env_.clock.mono() + kStopGrace);
    if (woken != Woken::deadline) co_return;
  }
  if (waiting_ == Waiting::no) co_return;  // a commit, or the session's own end: it will see that it is to stop
  farewell_said_ = true;
  reason_ = "shutting down";
  if (waiting_ != Waiting::for_write) {
    const Reply reply = Reply::of(421, "4.3.2", settings_.hostname + " is shutting down");
    say(reply);
    const std::string octets = std::exchange(out_, {});
    static_cast<void>(co_await stream_->write_all(octets, env_.clock.mono() + kLastReplyTimeout));
  }
  stream_->close();
}

Task<void> ServerSession::handle(Command command) {
  co_await std::visit([this](auto& which) { return on(std::move(which)); }, command);
}

// RFC 5321 section 4.1.1.1: once more is as good as RSET (section 4.1.4).
Task<void> ServerSession::on(command::Hello hello) {
  drop_transaction();
  info_.helo = std::move(hello.name);
  info_.esmtp = hello.extended;
  greeted_ = true;
  if (!junk()) say(hello_reply(hello.extended));
  co_return;
}

Reply ServerSession::hello_reply(bool extended) const {
  Reply reply = Reply::of(250, "", settings_.hostname);
  if (extended) {
    if (settings_.pipelining) reply.lines.emplace_back("PIPELINING");
    reply.lines.insert(reply.lines.end(),
                       {fmt::format("SIZE {}", settings_.message_size_max), "8BITMIME", "ENHANCEDSTATUSCODES"});
    if (settings_.tls_context && info_.tls.empty()) reply.lines.emplace_back("STARTTLS");
  }
  return reply;
}

Task<void> ServerSession::on(command::Mail mail) {
  if (!greeted_) {
    answer(Reply::of(503, "5.5.1", "say EHLO first"));
    co_return;
  }
  if (transaction_) {
    answer(Reply::of(503, "5.5.1", "a transaction is open already"));
    co_return;
  }
  // RFC 3207 section 4.
  if (settings_.tls == TlsLevel::require && info_.tls.empty()) {
    answer(Reply::of(530, "5.7.0", "say STARTTLS first"));
    co_return;
  }
  // RFC 1870 section 6.1. A limit of 0 is none (section 4).
  if (settings_.message_size_max > 0 && mail.params.size.value_or(0) > settings_.message_size_max) {
    answer(Reply::of(552, "5.3.4", fmt::format("message over the limit of {} octets", settings_.message_size_max)));
    co_return;
  }
  Reply reply = co_await intake_->mail(info_, std::move(mail.params));
  transaction_ = reply.positive();
  answer(std::move(reply));
}

Task<void> ServerSession::on(command::Rcpt rcpt) {
  if (!transaction_) {
    answer(Reply::of(503, "5.5.1", "say MAIL first"));
    co_return;
  }
  // RFC 5321 section 4.5.3.1.10: those before stay accepted.
  if (recipients_ >= settings_.recipients_max) {
    answer(Reply::of(452, "4.5.3", "too many recipients"));
    co_return;
  }
  Reply reply = co_await intake_->rcpt(std::move(rcpt.params));
  if (reply.positive()) {
    ++recipients_;
  } else {
    recipients_refused_ = true;
  }
  answer(std::move(reply));
}

Task<void> ServerSession::on(command::Data) {
  const bool behind = !reader_->empty();
  if (!transaction_ || recipients_ == 0) {
    // RFC 2920 section 3.1 has DATA at the end of its group. A client that goes on regardless sends content, which
    // must not be read as commands: that content is somebody else's, and could hold some (smuggling).
    const bool none_valid = transaction_ && recipients_refused_;
    Reply reply = none_valid ? Reply::of(554, "5.5.1", "no valid recipients")
                             : Reply::of(503, "5.5.1", transaction_ ? "say RCPT first" : "say MAIL first");
    answer(std::move(reply));
    if (behind && !ending_) end(Reply::of(421, "4.7.0", "octets behind a DATA that was refused"), "out of step");
    co_return;
  }
  auto incoming = co_await intake_->begin();
  if (!incoming) {
    drop_transaction();
    answer(std::move(incoming.error()));
    if (behind && !ending_) end(Reply::of(421, "4.7.0", "octets behind a DATA that was refused"), "out of step");
    co_return;
  }
  say(Reply::of(354, "", "end data with <CRLF>.<CRLF>"));
  env_.events.emit(event::Data{info_.session, event::Direction::in, {}});
  co_await receive(std::move(*incoming));
}

// From 354 to the reply to the final dot. A message that is refused on the way is read to its end, so that the reply
// stands where the client waits for it.
Task<void> ServerSession::receive(std::unique_ptr<Incoming> incoming) {
  DataDecoder decoder(settings_.bare_newline_ok ? DataDecoder::BareNewlines::convert : DataDecoder::BareNewlines::keep);
  std::optional<Reply> refusal;
  const auto refuse = [&](int code, std::string_view status, std::string text) {
    refusal = Reply::of(code, status, std::move(text));
    incoming->abandon();
    decoder.discard();
  };
  while (!decoder.done()) {
    if (reader_->empty()) {
      bool goes_on = co_await flush();
      if (goes_on) goes_on = co_await fill(until(settings_.data_timeout), Waiting::for_content);
      if (!goes_on) {
        incoming->abandon();
        ending_ = true;
        co_return;
      }
    }
    reader_->consume(decoder.feed(reader_->buffered()));
    if (refusal) continue;
    if (decoder.bare_newline() && !settings_.bare_newline_ok) {
      refuse(550, "5.6.11", "bare CR or LF in the message: lines end in CRLF");  // RFC 5321 section 2.3.8
    } else if (settings_.message_size_max > 0 && decoder.size() > settings_.message_size_max) {
      refuse(552, "5.3.4", fmt::format("message over the limit of {} octets", settings_.message_size_max));
    } else if (decoder.full() || decoder.done()) {
      Chunk chunk = decoder.take();
      if (!chunk.empty()) co_await incoming->write(std::move(chunk));
    }
  }
  if (!refusal) refusal = co_await incoming->commit();
  drop_transaction();
  if (refusal->positive()) {
    errors_ = 0;
    junk_ = 0;
  }
  answer(std::move(*refusal));
}

Task<void> ServerSession::on(command::Rset) {
  drop_transaction();
  if (!junk()) say(Reply::of(250, "2.0.0", "ok"));
  co_return;
}

Task<void> ServerSession::on(command::Noop) {
  if (!junk()) say(Reply::of(250, "2.0.0", "ok"));
  co_return;
}

// RFC 5321 section 3.5.3: whether an address is good is told to RCPT only.
Task<void> ServerSession::on(command::Vrfy) {
  if (!junk()) say(Reply::of(252, "2.0.0", "cannot verify, but will take the message and try"));
  co_return;
}

Task<void> ServerSession::on(command::Help) {
  if (!junk()) say(Reply::of(214, "2.0.0", "EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP STARTTLS QUIT: see RFC 5321"));
  co_return;
}

// RFC 3207 section 4. What stands behind the command came in the clear, and must not be read as if it had come within
// TLS (section 6, and the injections of 2011): it ends the session, before TLS hides whose it was.
Task<void> ServerSession::on(command::StartTls) {
  if (auto refusal = refuse_tls()) {
    answer(std::move(*refusal));
    co_return;
  }
  if (!reader_->empty()) {
    end(Reply::of(421, "4.7.0", "octets in the clear behind STARTTLS"), "out of step");
    co_return;
  }
  say(Reply::of(220, "2.0.0", "go ahead"));
  const bool written = co_await flush();
  if (written) co_await secure();
  co_return;
}

std::optional<Reply> ServerSession::refuse_tls() const {
  if (!settings_.tls_context) return Reply::of(502, "5.5.1", "command not offered");
  if (!info_.tls.empty()) return Reply::of(503, "5.5.1", "TLS is on already");
  if (!info_.esmtp) return Reply::of(503, "5.5.1", "say EHLO first");
  if (transaction_) return Reply::of(503, "5.5.1", "not within a transaction");
  return std::nullopt;
}

// From the 220 to a session that knows nothing of what was said before (RFC 3207 section 4.2).
Task<void> ServerSession::secure() {
  auto secured = std::make_unique<tls::Stream>(env_, settings_.tls_context, std::move(stream_), reader_->buffered());
  tls::Stream& tls = *secured;
  stream_ = std::move(secured);
  read_from_stream();
  waiting_ = Waiting::for_write;  // a stop says nothing in between
  const auto done = co_await tls.handshake(until(settings_.command_timeout));
  waiting_ = Waiting::no;
  if (!done) {
    env_.events.emit(event::Tls{info_.session, event::Direction::in, done.error().what, {}, {}, {}, {}});
    ending_ = true;
    if (reason_.empty()) reason_ = "TLS failed";
    co_return;
  }
  const tls::Agreed& agreed = tls.agreed();
  env_.events.emit(event::Tls{info_.session, event::Direction::in, "ok", agreed.version, agreed.cipher,
                              agreed.server_name, agreed.verified});
  drop_transaction();
  greeted_ = false;
  info_.helo.clear();
  info_.esmtp = false;
  info_.tls = agreed.to_string();
}

Task<void> ServerSession::on(command::Quit) {
  end(Reply::of(221, "2.0.0", "bye"), "quit");
  co_return;
}

void ServerSession::drop_transaction() {
  transaction_ = false;
  recipients_ = 0;
  recipients_refused_ = false;
  intake_->reset();
}

// A 421 of the Intake ends the session behind it, as it says (RFC 5321 section 3.8).
void ServerSession::answer(Reply reply) {
  if (reply.code == 421) {
    end(reply, "shutting down");
  } else if (reply.permanent() && ++errors_ > settings_.errors_max) {
    end(Reply::of(421, "4.7.0", "too many errors"), "too many errors");
  } else {
    say(reply);
  }
}

// One more command that leads nowhere; true: it was one too many.
bool ServerSession::junk() {
  if (++junk_ <= kJunkMax) return false;
  end(Reply::of(421, "4.7.0", "too many commands without a message"), "too many errors");
  return true;
}

void ServerSession::say(const Reply& reply) {
  out_ += reply.to_wire();
  env_.events.emit(event::Reply{info_.session, event::Direction::in, reply.code, reply.text()});
}

void ServerSession::end(const Reply& reply, std::string_view reason) {
  say(reply);
  ending_ = true;
  reason_ = reason;
}

Deadline ServerSession::until(Duration timeout) const {
  return std::min(env_.clock.mono() + timeout, session_deadline_);
}

}  // namespace postproof::smtp
