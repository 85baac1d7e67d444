#include "sim/world/sim_listener.h"

#include <utility>

#include "sim/world/sim_stream.h"

namespace postproof::sim::world {

void ListenerState::half_open_ended() {
  --half_open_;
  admit();
}

bool ListenerState::opened(std::shared_ptr<Connection> connection) {
  --half_open_;
  if (closed_) return false;
  ready_.push(std::move(connection));
  arrived_.notify();
  return true;
}

std::shared_ptr<Connection> ListenerState::take() {
  if (ready_.empty()) return nullptr;
  std::shared_ptr<Connection> connection = ready_.pop();
  admit();
  return connection;
}

void ListenerState::admit() {
  while (!closed_ && has_room() && !waiting_.empty()) waiting_.pop()->syn_arrives();
}

void ListenerState::close() {
  if (std::exchange(closed_, true)) return;
  life_.network().forget(*this);
  while (!ready_.empty()) ready_.pop()->reset(Side::acceptor);
  while (!waiting_.empty()) waiting_.pop()->syn_arrives();  // finds nobody, and is refused
  arrived_.notify();
}

Task<Result<std::unique_ptr<Stream>>> SimListener::accept() {
  const auto state = state_;
  co_await turn(state->life());
  for (;;) {
    if (state->closed() || state->life().gone()) co_return fail(Errc::closed, "accept: the listener is closed");
    // The connection waits on: accept fails before it takes one.
    if (state->has_ready() && state->life().out_of_descriptors()) {
      co_return fail(Errc::io, "accept: too many open files");
    }
    if (auto connection = state->take()) {
      co_return std::make_unique<SimStream>(state->life(), std::move(connection), Side::acceptor);
    }
    co_await state->arrived().wait();
  }
}

void SimListener::close() noexcept { state_->close(); }

}  // namespace postproof::sim::world
