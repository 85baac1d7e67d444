#include "mta/smtp/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mta/env/wakeup.h"
#include "mta/smtp/client_networks.h"
#include "mta/smtp/proxied_stream.h"
#include "mta/smtp/proxy_header.h"

namespace postproof::smtp {

namespace {

constexpr Duration kAcceptPause = 1s;     // after a failed accept: what was lacking may be there again
constexpr Duration kProxyTimeout = 5s;    // for a PROXY header, which comes at once: at least 3 s, it says
constexpr Duration kRefusalTimeout = 5s;  // to take our 421
constexpr unsigned kRefusingMax = 100;    // refusals being written; more are closed without a word

}  // namespace

Listener::Listener(Env& env, const ServerSettings& settings, IntakeFactory& intakes, SessionNumbers& numbers,
                   auth::Authenticator* logins)
    : env_(env), settings_(settings), intakes_(intakes), numbers_(numbers), logins_(logins), group_(env.executor) {}

Listener::~Listener() = default;

Result<void> Listener::listen(const Endpoint& at) {
  auto listener = env_.network.listen(at);
  if (!listener) return fail("listen at " + at.to_string(), std::move(listener.error()));
  listeners_.push_back(std::move(*listener));
  return {};
}

std::vector<Endpoint> Listener::endpoints() const {
  std::vector<Endpoint> endpoints;
  for (const auto& listener : listeners_) endpoints.push_back(listener->local());
  return endpoints;
}

Task<void> Listener::run() {
  if (!stopping_) {
    for (const auto& listener : listeners_) group_.spawn(accept_from(*listener));
  }
  co_await group_.join();
}

void Listener::stop() {
  if (stopping_) return;
  stopping_ = true;
  for (const auto& listener : listeners_) listener->close();
  for (const auto& [number, stream] : proxies_) stream->close();
  for (const auto& [number, session] : sessions_) session->stop();
}

Task<void> Listener::accept_from(postproof::Listener& listener) {
  while (!stopping_) {
    auto stream = co_await listener.accept();
    if (stream) {
      take(std::move(*stream));
      continue;
    }
    if (stream.error().code == Errc::closed) co_return;
    env_.events.emit(event::Service{"trouble", "accept: " + stream.error().what});
    const Woken woken = co_await sleep_until(env_, env_.clock.mono() + kAcceptPause);
    if (woken == Woken::closed) co_return;
  }
}

void Listener::take(std::unique_ptr<Stream> stream) {
  if (is_within(stream->peer(), settings_.proxy_from)) {
    const std::uint64_t number = ++last_proxy_;
    if (auto refusal = over_limit(Endpoint())) {
      refuse_session(std::move(stream), std::move(*refusal));
    } else {
      proxies_.emplace(number, stream.get());
      group_.spawn(hear_proxy(std::move(stream), number));
    }
  } else if (auto refusal = over_limit(stream->peer())) {
    refuse_session(std::move(stream), std::move(*refusal));
  } else {
    open_session(std::move(stream));
  }
}

// RFC 5321 section 3.1 and RFC 3463: 4.3.2, the system takes nothing now; 4.7.0, this client has its share.
std::optional<Reply> Listener::over_limit(const Endpoint& client) const {
  if (stopping_) return Reply::of(421, "4.3.2", settings_.hostname + " is shutting down");
  if (sessions_.size() + proxies_.size() >= settings_.sessions_max) {
    return Reply::of(421, "4.3.2", settings_.hostname + " has too many sessions, try again later");
  }
  if (client.kind() != Endpoint::Kind::ip) return std::nullopt;
  const auto of_client = per_client_.find(client.address());
  if (of_client == per_client_.end() || of_client->second < settings_.sessions_per_client_max) return std::nullopt;
  return Reply::of(421, "4.7.0", settings_.hostname + " has too many sessions of yours");
}

// A proxy says nothing to SMTP, nor would it pass on what we say: without a good header it is cut off.
Task<void> Listener::hear_proxy(std::unique_ptr<Stream> stream, std::uint64_t number) {
  ProxyHeader header;
  const Deadline deadline = env_.clock.mono() + kProxyTimeout;
  std::array<char, 256> buffer{};
  std::string_view trouble;
  while (header.state() == ProxyHeader::State::incomplete && trouble.empty()) {
    const std::span into(buffer.data(), std::min(buffer.size(), header.wanted()));
    const auto got = co_await stream->read_some(into, deadline);
    if (got && *got > 0) {
      header.feed(std::string_view(buffer.data(), *got));
    } else {
      trouble = got ? "closed by peer" : to_string(got.error().code);
    }
  }
  proxies_.erase(number);
  if (header.state() != ProxyHeader::State::whole) {
    const std::uint64_t session = numbers_.next();
    const std::string peer = stream->peer().to_string();
    env_.events.emit(event::Connect{session, event::Direction::in, {}, peer, "ok"});
    stream->close();
    const std::string why = fmt::format("no PROXY header: {}", trouble.empty() ? "malformed" : trouble);
    env_.events.emit(event::Close{session, event::Direction::in, why});
    co_return;
  }
  if (header.ends()) stream = std::make_unique<ProxiedStream>(std::move(stream), *header.ends());
  if (auto refusal = over_limit(stream->peer())) {
    refuse_session(std::move(stream), std::move(*refusal));
  } else {
    open_session(std::move(stream));
  }
}

// Counted here and not when its coroutine starts, so that the next connection finds it counted.
void Listener::open_session(std::unique_ptr<Stream> stream) {
  const std::uint64_t number = numbers_.next();
  auto session = std::make_unique<ServerSession>(env_, settings_, std::move(stream), intakes_.open(), number, logins_);
  sessions_.emplace(number, session.get());
  if (session->peer().kind() == Endpoint::Kind::ip) ++per_client_[session->peer().address()];
  group_.spawn(serve(std::move(session), number));
}

Task<void> Listener::serve(std::unique_ptr<ServerSession> session, std::uint64_t number) {
  const Endpoint client = session->peer();  // by the end it may speak for another
  co_await session->run();
  sessions_.erase(number);
  if (client.kind() != Endpoint::Kind::ip) co_return;
  const auto of_client = per_client_.find(client.address());
  if (--of_client->second == 0) per_client_.erase(of_client);
}

void Listener::refuse_session(std::unique_ptr<Stream> stream, Reply reply) {
  if (refusing_ >= kRefusingMax) return;
  ++refusing_;
  group_.spawn(refuse(std::move(stream), std::move(reply)));
}

Task<void> Listener::refuse(std::unique_ptr<Stream> stream, Reply reply) {
  const std::uint64_t number = numbers_.next();
  const std::string peer = stream->peer().to_string();
  env_.events.emit(event::Connect{number, event::Direction::in, {}, peer, "ok"});
  // Where all is within TLS, a refusal is not worth the handshake that it would take.
  if (!settings_.implicit_tls) {
    env_.events.emit(event::Reply{number, event::Direction::in, reply.code, reply.text()});
    const std::string octets = reply.to_wire();
    static_cast<void>(co_await stream->write_all(octets, env_.clock.mono() + kRefusalTimeout));
  }
  --refusing_;
  stream->close();
  env_.events.emit(event::Close{number, event::Direction::in, "too many sessions"});
}

}  // namespace postproof::smtp
