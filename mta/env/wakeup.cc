#include "mta/env/wakeup.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mta/base/check.h"

namespace postproof {

namespace asio = boost::asio;

Wakeup::~Wakeup() { PP_CHECK(!waiter_, "a Wakeup was destroyed while somebody waits on it"); }

void Wakeup::notify() {
  if (waiter_) {
    finish(Woken::notified);
  } else {
    notified_ = true;
  }
}

Task<Woken> Wakeup::wait(Deadline deadline) {
  PP_CHECK(!waiter_, "two waiters on one Wakeup");
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Woken)>(
      [this, deadline](auto handler) {
        waiter_ = [handler = std::move(handler)](Woken woken) mutable { std::move(handler)(woken); };
        if (notified_) {
          notified_ = false;
          finish(Woken::notified);
          return;
        }
        timer_ = env_.clock.call_at(deadline, [this](bool alive) {
          timer_ = 0;
          finish(alive ? Woken::deadline : Woken::closed);
        });
      },
      asio::use_awaitable);
}

// Through the executor, so that a notifier never runs the waiter's code within its own.
void Wakeup::finish(Woken woken) {
  if (timer_ != 0) {
    env_.clock.cancel(timer_);
    timer_ = 0;
  }
  asio::post(env_.executor, [waiter = std::exchange(waiter_, nullptr), woken]() mutable { waiter(woken); });
}

Task<Woken> sleep_until(Env& env, MonoTime when) {
  Wakeup never_notified(env);
  co_return co_await never_notified.wait(when);
}

}  // namespace postproof
