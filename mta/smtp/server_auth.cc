// AUTH in a server session (RFC 4954): the exchange of one mechanism, from the command to its outcome. Who may log in and
// with what is mta/auth's; here are the lines, the replies, and what failures cost.
#include <utility>

#include "mta/auth/authenticator.h"
#include "mta/base/base64.h"
#include "mta/base/text.h"
#include "mta/env/wakeup.h"
#include "mta/smtp/server_session.h"

namespace postproof::smtp {

namespace {

Reply denied(auth::Denial denial) {
  switch (denial) {
    case auth::Denial::unknown: return Reply::of(504, "5.5.4", "no such mechanism here");
    case auth::Denial::too_weak: return Reply::of(534, "5.7.9", "the mechanism is too weak here");
    case auth::Denial::needs_tls: break;
  }
  return Reply::of(538, "5.7.11", "say STARTTLS first: nobody logs in in the clear");
}

Reply refused_for(auth::Refusal refusal) {
  switch (refusal) {
    case auth::Refusal::credentials: break;
    case auth::Refusal::malformed: return Reply::of(501, "5.5.2", "not a message of the mechanism");
    case auth::Refusal::unsupported: return Reply::of(504, "5.5.4", "no such mechanism here");
    case auth::Refusal::temporary: return Reply::of(454, "4.7.0", "logins cannot be checked now; try again later");
  }
  return Reply::of(535, "5.7.8", "wrong credentials");
}

}  // namespace

// What a client says in AUTH is a password, or as good as one: the log has the mechanism alone.
std::string ServerSession::shown(std::string_view line) {
  constexpr std::string_view kVerb = "AUTH ";
  if (!starts_with_ignoring_case(line, kVerb)) return std::string(line);
  const auto behind = line.find(' ', line.find_first_not_of(' ', kVerb.size()));
  if (behind == std::string_view::npos) return std::string(line);
  return std::string(line.substr(0, behind)) + " (hidden)";
}

Task<void> ServerSession::on(command::Auth auth) {
  if (auto refusal = refuse_auth()) {
    answer(std::move(*refusal));
    co_return;
  }
  // RFC 4954 section 4: each side waits for the other. What stands behind the command would be read as an answer to a
  // question that was not asked yet, or, after a refusal, as commands.
  if (!reader_->empty()) {
    end(Reply::of(421, "4.7.0", "octets behind AUTH"), "out of step");
    co_return;
  }
  if (logins_->shut_out(info_.peer)) {
    end(Reply::of(421, "4.7.0", "too many failed logins from your address"), "too many failed logins");
    co_return;
  }
  channel_.local = info_.local;
  channel_.peer = info_.peer;
  auto exchange = logins_->begin(auth.mechanism, channel_);
  if (!exchange) {
    answer(denied(exchange.error()));
    co_return;
  }
  std::optional<std::string> response;
  if (auth.response) {
    // Section 4: "=" is a response without an octet.
    response = *auth.response == "=" ? std::optional<std::string>("") : base64_decode(*auth.response);
    if (!response) {
      answer(Reply::of(501, "5.5.2", "not base64"));
      co_return;
    }
  }
  co_await log_in(ascii_upper(auth.mechanism), **exchange, std::move(response));
}

std::optional<Reply> ServerSession::refuse_auth() const {
  if (logins_ == nullptr) return Reply::of(502, "5.5.1", "command not offered");
  if (!info_.esmtp) return Reply::of(503, "5.5.1", "say EHLO first");
  if (!info_.login.empty()) return Reply::of(503, "5.5.1", "you are logged in already");
  if (transaction_) return Reply::of(503, "5.5.1", "not within a transaction");
  return std::nullopt;
}

Task<void> ServerSession::log_in(std::string mechanism, auth::Exchange& exchange, std::optional<std::string> response) {
  for (;;) {
    auth::Step step = co_await exchange.step(std::move(response));
    if (auto* success = std::get_if<auth::Success>(&step)) {
      info_.login = std::move(success->login);
      tell_auth(mechanism, info_.login, "ok");
      say(Reply::of(235, "2.7.0", "welcome"));
      co_return;
    }
    if (auto* failure = std::get_if<auth::Failure>(&step)) {
      tell_auth(mechanism, failure->login, failure->why);
      if (failure->refusal == auth::Refusal::credentials) {
        co_await fail_login();
      } else {
        answer(refused_for(failure->refusal));
      }
      co_return;
    }
    say(Reply::of(334, "", base64_encode(std::get<auth::Challenge>(step).octets)));
    auto said = co_await hear_response();
    if (!said) co_return;
    response = std::move(*said);
  }
}

// The client's answer to a challenge; none: there is none, and the client has its reply.
Task<std::optional<std::string>> ServerSession::hear_response() {
  const Deadline deadline = until(settings_.command_timeout);
  std::optional<LineReader::Line> line;
  while (!(line = reader_->try_line())) {
    bool goes_on = co_await flush();
    if (goes_on) goes_on = co_await fill(deadline, Waiting::for_command);
    if (!goes_on) {
      ending_ = true;
      co_return std::nullopt;
    }
  }
  if (line->overlong) {
    answer(Reply::of(500, "5.5.6", "line too long"));
  } else if (line->text == "*") {
    answer(Reply::of(501, "5.7.0", "cancelled"));
  } else if (auto response = base64_decode(line->text)) {
    if (reader_->empty()) co_return response;
    end(Reply::of(421, "4.7.0", "octets behind an answer"), "out of step");
  } else {
    answer(Reply::of(501, "5.5.2", "not base64"));
  }
  co_return std::nullopt;
}

// Guessing takes longer each time, and ends.
Task<void> ServerSession::fail_login() {
  const Woken woken = co_await hold_up(logins_->note_failure(info_.peer));
  if (woken == Woken::closed) {
    ending_ = true;
  } else if (++failed_logins_ >= logins_->settings().failures_max) {
    end(Reply::of(421, "4.7.0", "wrong credentials, too often"), "too many failed logins");
  } else {
    answer(refused_for(auth::Refusal::credentials));
  }
}

void ServerSession::tell_auth(std::string_view mechanism, std::string_view login, std::string_view result) {
  const std::string peer = info_.peer.to_string();
  env_.events.emit(event::Auth{info_.session, event::Direction::in, peer, mechanism, login, result});
}

}  // namespace postproof::smtp
