#include "sim/peer/server.h"

#include <utility>

namespace postproof::sim {
namespace {

// After an accept that failed in passing (out of descriptors).
constexpr Duration kAcceptRetry = std::chrono::milliseconds{100};

}  // namespace

Task<bool> Served::pause(Duration duration) {
  if (is_interrupted_) co_return false;
  const Woken woken = co_await interrupted_.wait(env_.clock.mono() + duration);
  co_return woken == Woken::deadline;
}

void Served::interrupt() {
  is_interrupted_ = true;
  stream_->close();
  interrupted_.notify();
}

ConnectionServer::ConnectionServer(Env& env, std::vector<Endpoint> listen, Session session)
    : env_(env), listen_(std::move(listen)), session_(std::move(session)), tasks_(env.executor) {}

Task<Result<void>> ConnectionServer::run() {
  for (const Endpoint& endpoint : listen_) {
    auto listener = env_.network.listen(endpoint);
    if (!listener) {
      listeners_.clear();
      co_return fail("listen on " + endpoint.to_string(), std::move(listener.error()));
    }
    listeners_.push_back(std::move(*listener));
  }
  if (!stopped_) {
    for (const auto& listener : listeners_) tasks_.spawn(accept(*listener));
  }
  co_await tasks_.join();
  listeners_.clear();
  co_return Result<void>();
}

void ConnectionServer::stop() {
  stopped_ = true;
  for (const auto& listener : listeners_) listener->close();
  for (const auto& [number, served] : served_) served->interrupt();
}

Task<void> ConnectionServer::accept(Listener& listener) {
  while (!stopped_) {
    Result<std::unique_ptr<Stream>> accepted = co_await listener.accept();
    if (accepted) {
      if (!stopped_) tasks_.spawn(serve(std::move(*accepted)));
      continue;
    }
    if (accepted.error().code == Errc::closed) co_return;
    const Woken woken = co_await sleep_until(env_, env_.clock.mono() + kAcceptRetry);
    if (woken == Woken::closed) co_return;
  }
}

Task<void> ConnectionServer::serve(std::unique_ptr<Stream> stream) {
  Served served(env_, std::move(stream));
  const std::uint64_t number = next_++;
  served_.emplace(number, &served);
  if (stopped_) served.interrupt();
  co_await session_(served);
  served.stream().close();
  served_.erase(number);
}

}  // namespace postproof::sim
