#include "mta/env/task_group.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mta/base/check.h"

namespace postproof {

namespace asio = boost::asio;

TaskGroup::~TaskGroup() { PP_CHECK(running_ == 0, "a TaskGroup was destroyed before its tasks had ended"); }

void TaskGroup::spawn(Task<void> task) {
  ++running_;
  // co_spawn alone starts the task inline when the caller already runs on the executor.
  asio::post(executor_, [this, task = std::move(task)]() mutable {
    asio::co_spawn(executor_, std::move(task), [this](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);  // out of the event loop: a broken invariant
      if (--running_ == 0 && joiner_) asio::post(executor_, std::exchange(joiner_, nullptr));
    });
  });
}

Task<void> TaskGroup::join() {
  while (running_ > 0) {
    PP_CHECK(!joiner_, "two joiners on one TaskGroup");
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [this](auto handler) {
          joiner_ = [handler = std::move(handler)]() mutable { std::move(handler)(); };
        },
        asio::use_awaitable);
  }
}

}  // namespace postproof
