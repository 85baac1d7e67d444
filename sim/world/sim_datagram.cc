#include "sim/world/sim_datagram.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "mta/base/check.h"
#include "sim/world/host.h"
#include "sim/world/network_impl.h"

namespace postproof::sim::world {

bool DatagramState::arrive(Waiting datagram) {
  if (waiting_.size() >= kDatagramsWaiting) return false;
  waiting_.push(std::move(datagram));
  arrived_.notify();
  return true;
}

void DatagramState::close() {
  if (std::exchange(closed_, true)) return;
  life_.network().forget(*this);
  arrived_.notify();
}

// The deadline never comes into play: a datagram is handed over or lost, at once.
Task<Result<void>> SimDatagram::send_to(std::string_view octets, Endpoint to, Deadline) {
  const auto state = state_;
  Life& life = state->life();
  Result<void> result;
  if (state->closed() || life.gone()) {
    result = fail(Errc::closed, "send: the socket is closed");
  } else if (auto from = life.network().source(to, state->local().address(), state->local().port()); !from) {
    result = fail("send", std::move(from.error()));
  } else {
    life.host().core.network->impl().send_datagram(life, std::move(*from), std::move(to), std::string(octets));
  }
  co_await turn(life);
  if (result && life.gone()) result = fail(Errc::closed, "send: the socket is closed");
  co_return result;
}

Task<Result<Datagram::Received>> SimDatagram::receive(std::span<char> into, Deadline deadline) {
  const auto state = state_;
  PP_CHECK(!state->receiving(), "two receivers wait on one datagram socket");
  state->receiving() = true;
  std::optional<Errc> error;
  Received received;
  bool waited = false;
  for (;;) {
    if (state->closed() || state->life().gone()) error = Errc::closed;
    if (error || !state->waiting().empty()) {
      if (waited) break;
      co_await turn(state->life());
      waited = true;
      continue;
    }
    const Woken woken = co_await state->arrived().wait(deadline);
    if (woken == Woken::deadline) error = Errc::timed_out;
    waited = true;
  }
  state->receiving() = false;
  if (error) {
    co_return fail(*error, fmt::format("receive at {}: {}", state->local().to_string(), to_string(*error)));
  }
  DatagramState::Waiting datagram = state->waiting().pop();
  received.size = std::min(into.size(), datagram.octets.size());
  if (received.size > 0) std::memcpy(into.data(), datagram.octets.data(), received.size);
  received.from = std::move(datagram.from);
  co_return received;
}

}  // namespace postproof::sim::world
