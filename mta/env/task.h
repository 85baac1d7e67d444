// Coroutines: Task<T> is Asio's awaitable. A Task starts when it is awaited or spawned.
//
// g++ 12 miscompiles some coroutines into double frees; docs/hacking.md lists what not to write.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace postproof {

template <class T = void>
using Task = boost::asio::awaitable<T, boost::asio::any_io_executor>;

// Where a coroutine runs. In production a thread's event loop, in a simulation a node's run queue.
using Executor = boost::asio::any_io_executor;

}  // namespace postproof
