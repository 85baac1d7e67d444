#include "sim/world/sim_stream.h"

#include <fmt/format.h>

#include "mta/base/check.h"

namespace postproof::sim::world {

namespace {

std::unexpected<Error> failed(std::string_view doing, const Connection& connection, Side side, Errc why) {
  return fail(why, fmt::format("{} {}: {}", doing, connection.endpoint(other(side)).to_string(), to_string(why)));
}

// Takes a flag for the time of a call; the connection outlives the frame that holds one.
class Busy {
 public:
  Busy(bool& flag, std::string_view what) : flag_(flag) {
    PP_CHECK(!flag_, what);
    flag_ = true;
  }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& flag_;
};

}  // namespace

// The stream may be closed and destroyed while a call waits: after a co_await only the connection is used.
Task<Result<std::size_t>> SimStream::read_some(std::span<char> into, Deadline deadline) {
  PP_CHECK(!into.empty(), "a read into nothing");
  Life& life = life_;
  const auto connection = connection_;
  const Side side = side_;
  const Busy busy(connection->reading(side), "two readers wait on one stream");
  for (bool waited = false;;) {
    if (life.gone()) {
      if (!waited) co_await turn(life);
      co_return failed("read from", *connection, side, Errc::closed);
    }
    const auto error = connection->read_error(side);
    if (error || connection->has_arrived(side) || connection->at_end(side)) {
      if (!waited) {
        co_await turn(life);
        waited = true;
        continue;
      }
      if (error) co_return failed("read from", *connection, side, *error);
      if (connection->has_arrived(side)) co_return connection->read(side, into);
      co_return std::size_t{0};
    }
    const Woken woken = co_await connection->readable(side).wait(deadline);
    if (woken == Woken::deadline) co_return failed("read from", *connection, side, Errc::timed_out);
    if (woken == Woken::closed) co_return failed("read from", *connection, side, Errc::closed);
    waited = true;
  }
}

Task<Result<void>> SimStream::write_all(std::string_view octets, Deadline deadline) {
  Life& life = life_;
  const auto connection = connection_;
  const Side side = side_;
  connection->begin_write(side);
  std::optional<Errc> error;
  for (bool waited = false;;) {
    error = life.gone() ? Errc::closed : connection->write_error(side);
    if (!error) octets.remove_prefix(connection->write(side, octets));
    if (error || octets.empty()) {
      if (!waited) co_await turn(life);
      break;
    }
    const Woken woken = co_await connection->writable(side).wait(deadline);
    waited = true;
    if (woken == Woken::notified) continue;
    error = woken == Woken::deadline ? Errc::timed_out : Errc::closed;
    break;
  }
  connection->end_write(side);
  if (!error && life.gone()) error = Errc::closed;
  if (error) co_return failed("write to", *connection, side, *error);
  co_return Result<void>{};
}

void SimStream::shutdown_send() {
  if (!life_.gone()) connection_->shutdown_send(side_);
}

void SimStream::reset() {
  if (life_.gone()) return close();  // without effect on the wire
  connection_->reset(side_);
}

void SimStream::close() noexcept { connection_->close(side_); }

}  // namespace postproof::sim::world
