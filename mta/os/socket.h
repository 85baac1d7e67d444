// A socket of Asio's with deadlines, closing and resetting: what streams and datagrams have in common.
//
// One timer watches both directions. It is left running when a call ends, and looks, when it fires,
// whether a deadline has really passed: a deadline costs a comparison a call, not a timer.
// What ends a call early is cancel() on the socket, which ends both directions' calls; the one whose
// time has not come starts again. A cancelled read has taken nothing.
//
// The state is shared by the owner, the calls under way and the handlers, so that the owner may let go
// while a call waits.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "mta/base/check.h"
#include "mta/base/endpoint.h"
#include "mta/os/core.h"
#include "mta/os/errno_error.h"

namespace postproof::os {

template <class AsioSocket>
class Socket : public Waiting, public std::enable_shared_from_this<Socket<AsioSocket>> {
 public:
  explicit Socket(Core& core) : core_(core), socket_(core.context), timer_(core.context) {
    registration_.emplace(core, this);
  }

 protected:
  struct Direction {
    Deadline deadline = kNever;
    bool busy = false;
    bool expired = false;
  };
  ~Socket() = default;

  void begin(Direction& direction, Deadline deadline) {
    PP_CHECK(!direction.busy, "two calls wait in one direction of a socket");
    direction = Direction{.deadline = deadline, .busy = true, .expired = false};
    if (deadline < watched_) watch(deadline);
  }

  static void finish(Direction& direction) { direction = Direction{}; }

  // Whether a call whose operation was cancelled has to start it again: it was cancelled for the other's sake.
  bool goes_on(const Direction& direction, const boost::system::error_code& error) const {
    return error == boost::asio::error::operation_aborted && !ended_ && !direction.expired;
  }

  // Why a call failed, once its operation has ended with this error (none, or cancelled: by its deadline).
  Error failure(const boost::system::error_code& error, std::string doing) {
    if (ended_) return end_error(std::move(doing));
    if (!error || error == boost::asio::error::operation_aborted) {
      return Error{Errc::timed_out, std::move(doing) + ": timed out"};
    }
    Error told = socket_error(error.value(), doing);
    if (told.code == Errc::reset) ended_ = Errc::reset;  // the kernel tells of it only once
    return told;
  }

  Error end_error(std::string doing) const {
    return Error{*ended_, std::move(doing) + ": " + std::string(to_string(*ended_))};
  }

  // Ends the pending calls; the descriptor stays open.
  void end_calls(Errc reason) {
    ended_ = reason;
    unwatch();
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  // Gives the descriptor back.
  void shut() {
    unwatch();
    boost::system::error_code ignored;
    socket_.close(ignored);
    registration_.reset();
  }

  void unwatch() {
    timer_.cancel();
    watched_ = kNever;
  }

  Core& core_;
  AsioSocket socket_;
  Timer timer_;
  Direction reading_;
  Direction writing_;
  std::optional<Errc> ended_;  // closed or reset: what every call yields from now on

 private:
  void watch(Deadline deadline) {
    watched_ = deadline;
    timer_.expires_at(deadline);
    timer_.async_wait([self = this->shared_from_this()](boost::system::error_code error) {
      if (!error && !self->ended_) self->look();
    });
  }

  void look() {
    watched_ = kNever;
    const MonoTime now = std::chrono::steady_clock::now();
    bool expired = false;
    for (Direction* direction : {&reading_, &writing_}) {
      if (!direction->busy || direction->expired || direction->deadline > now) continue;
      direction->expired = expired = true;
    }
    if (expired) {
      boost::system::error_code ignored;
      socket_.cancel(ignored);
    }
    Deadline next = kNever;
    for (const Direction* direction : {&reading_, &writing_}) {
      if (direction->busy && !direction->expired) next = std::min(next, direction->deadline);
    }
    if (next != kNever) watch(next);
  }

  Deadline watched_ = kNever;  // when timer_ fires; kNever: not at all
  std::optional<Registration> registration_;
};

}  // namespace postproof::os
