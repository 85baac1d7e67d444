// AUTH in a client session (RFC 4954): who we are at a smarthost. The mechanisms are mta/auth's.
#include <fmt/format.h>

#include <utility>

#include "mta/auth/client_exchange.h"
#include "mta/base/base64.h"
#include "mta/smtp/client_session.h"

namespace postproof::smtp {

namespace {

ClientResult trouble(std::variant<Reply, Error> what) { return ClientResult{ClientStage::auth, std::move(what)}; }

}  // namespace

Task<std::expected<void, ClientResult>> ClientSession::log_in() {
  const auth::Credentials& own = *settings_.credentials;
  // RFC 4954 section 9: whoever can change what a server offers in the clear can make us say more than we want.
  if (tls_ == "none" && !settings_.auth_without_tls) {
    tell_auth({}, "no TLS");
    state_ = State::in_step;
    co_return std::unexpected(trouble(Error{Errc::invalid, "the login is not said in the clear, and there is no TLS"}));
  }
  const auto mechanism = auth::choose_mechanism(capabilities_.auth);
  if (!mechanism) {
    tell_auth({}, "not offered");
    state_ = State::in_step;
    co_return std::unexpected(trouble(Error{Errc::invalid, "peer offers no mechanism to log in by that we know"}));
  }
  const auto exchange = auth::begin_as_client(env_, *mechanism, own);
  What outcome = co_await exchange_login(*mechanism, *exchange);
  if (const auto* reply = std::get_if<Reply>(&outcome); reply != nullptr && reply->positive()) {
    tell_auth(to_string(*mechanism), "ok");
    co_return std::expected<void, ClientResult>();
  }
  const auto* reply = std::get_if<Reply>(&outcome);
  tell_auth(to_string(*mechanism), reply != nullptr ? reply->to_string() : std::get<Error>(outcome).what);
  if (state_ == State::ready) state_ = State::in_step;
  co_return std::unexpected(trouble(std::move(outcome)));
}

// From the command to the reply that ends it; positive only if the server has shown all that it had to.
Task<ClientSession::What> ClientSession::exchange_login(auth::Mechanism mechanism, auth::ClientExchange& exchange) {
  const std::string command = fmt::format("AUTH {}", to_string(mechanism));
  std::string said = command;
  if (const auto initial = exchange.initial()) said += ' ' + (initial->empty() ? "=" : base64_encode(*initial));
  What reply = co_await ask(std::move(said), "AUTH", settings_.ehlo_timeout, command + " (hidden)");
  for (;;) {
    auto* said_back = std::get_if<Reply>(&reply);
    if (said_back == nullptr) co_return reply;
    if (said_back->positive()) {
      auto finished = exchange.finish();
      if (finished) co_return reply;
      co_return drop("AUTH", std::move(finished.error()));
    }
    if (!said_back->intermediate()) co_return reply;
    auto challenge = base64_decode(said_back->lines.front());
    if (said_back->code != 334 || said_back->lines.size() != 1 || !challenge) co_return protocol_error("AUTH", *said_back);
    auto answer = co_await exchange.answer(std::move(*challenge));
    // A server that is out of step with the mechanism, or not the one that knows our password, gets nothing more.
    if (!answer) co_return drop("AUTH", std::move(answer.error()));
    reply = co_await ask(base64_encode(*answer), "AUTH", settings_.ehlo_timeout, "(hidden)");
  }
}

void ClientSession::tell_auth(std::string_view mechanism, std::string_view result) {
  const std::string peer = peer_.to_string();
  env_.events.emit(event::Auth{session_, event::Direction::out, peer, mechanism, settings_.credentials->login, result});
}

}  // namespace postproof::smtp
