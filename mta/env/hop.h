// Calls across threads: runs a task on another Env's executor and comes back with its result.
// Arguments were moved into the task's coroutine frame; nothing else is shared.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mta/env/task.h"

namespace postproof {

template <class T>
Task<T> hop(Executor target, Task<T> task) {
  const Executor here = co_await boost::asio::this_coro::executor;
  if (here == target) co_return co_await std::move(task);
  co_return co_await boost::asio::co_spawn(target, std::move(task), boost::asio::use_awaitable);
}

}  // namespace postproof
