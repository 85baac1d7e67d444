#include "mta/smtp/server_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/limits.h"
#include "mta/base/text.h"
#include "mta/smtp/client_networks.h"
#include "mta/tls/stream.h"

namespace postproof::smtp {

namespace {

constexpr std::size_t kBufferSize = 16 * 1024;
constexpr std::size_t kRepliesMax = 16 * 1024;  // octets of replies that wait for the end of a group
constexpr Duration kLastReplyTimeout = 5s;  // a client that does not read has no right to more

}  // namespace

ServerSession::ServerSession(Env& env, const ServerSettings& settings, std::unique_ptr<Stream> stream,
                             std::unique_ptr<Intake> intake, std::uint64_t session, auth::Authenticator* logins)
    : env_(env),
      settings_(settings),
      stream_(std::move(stream)),
      intake_(std::move(intake)),
      logins_(logins),
      pace_(settings),
      ended_(env),
      hurry_(env),
      group_(env.executor) {
  read_from_stream();
  info_.session = session;
  info_.local = stream_->local();
  info_.peer = stream_->peer();
  info_.submission = settings.submission;
}

void ServerSession::read_from_stream() {
  reader_.emplace(*stream_, LineReader::LineEnd::crlf, limits::kAuthLine, kBufferSize);
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
  if (settings_.implicit_tls) {
    co_await secure();
    if (ending_) co_return;
  }
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
    const std::string told = shown(line->text);
    env_.events.emit(event::Command{info_.session, event::Direction::in, told});
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
    if (std::exchange(slow_, false)) co_await slow_down();
    if (out_.size() > kRepliesMax && !co_await flush()) co_return;
    deadline = until(settings_.command_timeout);
  }
  co_await flush();
}

// RFC 5321 sections 3.1 and 4.2; the greeting has no enhanced code (RFC 2034 section 4). Octets that came before it are
// read behind it, in order. False: the session is at its end.
Task<bool> ServerSession::greet() {
  refusing_ = refused();
  std::string_view why = kClientRefused;
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
  say_greeting(why);
  co_return co_await flush();
}

void ServerSession::say_greeting(std::string_view why) {
  say(refusing_ ? Reply::of(554, "", fmt::format("{} {}", settings_.hostname, why))
                : Reply::of(220, "", settings_.hostname + " ESMTP Postproof"));
}

bool ServerSession::refused() const { return is_within(info_.peer, settings_.refused_clients); }

std::expected<Command, Reply> ServerSession::understand(const LineReader::Line& line) const {
  // RFC 5321 section 4.5.3.1.9; RFC 4954 section 4: AUTH may have more.
  const bool logs_in = starts_with_ignoring_case(line.text, "AUTH ");
  const bool too_long = line.overlong || (line.size > limits::kCommandLine && !logs_in);
  if (too_long && begins_chunk(line.text)) return command::Bdat{};
  if (too_long) {
    return std::unexpected(Reply::of(500, logs_in ? "5.5.6" : "5.5.2", "line too long"));
  }
  auto command = parse_command(line.text, offered());
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
  hurry_.notify();
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

// Nothing stands of what was said before: TLS (RFC 3207 section 4.2) or another client begins.
void ServerSession::start_over() {
  drop_transaction();
  greeted_ = false;
  info_.helo.clear();
  info_.esmtp = false;
  info_.login.clear();
}

void ServerSession::drop_transaction() {
  transaction_ = false;
  recipients_ = 0;
  recipients_refused_ = false;
  content_.reset();
  chunk_refused_ = false;
  intake_->reset();
}

// A 421 of the Intake ends the session behind it, as it says (RFC 5321 section 3.8).
void ServerSession::answer(Reply reply) {
  if (reply.code == 421) {
    end(reply, "shutting down");
  } else if (reply.permanent() && ++errors_ > settings_.errors_max) {
    end(Reply::of(421, "4.7.0", "too many errors"), "too many errors");
  } else {
    if (reply.permanent() && errors_ > settings_.errors_max / 2) slow_ = true;
    say(reply);
  }
}

// Who tries what we refuse, or does nothing at all, gets to do it less often.
Task<void> ServerSession::slow_down() {
  if (settings_.error_delay == Duration::zero() || ending_) co_return;
  static_cast<void>(co_await hold_up(settings_.error_delay));
}

// The client waits; a stop waits for nobody.
Task<Woken> ServerSession::hold_up(Duration delay) {
  if (stopping_) co_return Woken::notified;
  const Woken woken = co_await hurry_.wait(until(delay));
  co_return woken;
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
