// What the event loops of a process share: threads for calls that block (all file operations), a few others for heavy
// work, and the sockets on which they listen.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

#include "mta/env/task.h"
#include "mta/os/shared_sockets.h"

namespace postproof::os {

// More than there are processors: they wait for the disk most of the time, and a read must not stand
// behind the syncs of several files.
inline constexpr unsigned kWorkers = 8;
// These do wait for a processor: a flood of work must leave some of it to the loops.
inline constexpr unsigned kHeavyWorkers = 2;

class Workers {
 public:
  explicit Workers(unsigned threads = kWorkers, unsigned heavy_threads = kHeavyWorkers);
  ~Workers();  // when every call has ended; the loops that use it are gone by then

  // Calls `function` on a worker; the task ends with its result, on the loop. What the function refers to
  // must live until then. The loop counts the call as work, so that it does not end before it.
  template <class Function>
  auto run(boost::asio::io_context& loop, Function function) -> Task<std::invoke_result_t<Function&>> {
    return run_on(pool_, loop, std::move(function));
  }
  // The same, of what takes a processor for long: it stands in no file operation's way.
  template <class Function>
  auto run_heavy(boost::asio::io_context& loop, Function function) -> Task<std::invoke_result_t<Function&>> {
    return run_on(heavy_pool_, loop, std::move(function));
  }

  SharedSockets& sockets() { return sockets_; }

 private:
  template <class Function>
  static auto run_on(boost::asio::thread_pool& pool, boost::asio::io_context& loop, Function function)
      -> Task<std::invoke_result_t<Function&>> {
    namespace asio = boost::asio;
    using Value = std::invoke_result_t<Function&>;
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(Value)>(
        [&pool, &loop](auto handler, Function call) {
          auto back = asio::require(loop.get_executor(), asio::execution::outstanding_work.tracked);
          asio::post(pool, [back, call = std::move(call), handler = std::move(handler)]() mutable {
            Value value = call();
            asio::post(back, [value = std::move(value), handler = std::move(handler)]() mutable {
              std::move(handler)(std::move(value));
            });
          });
        },
        asio::use_awaitable, std::move(function));
  }

  SharedSockets sockets_;
  boost::asio::thread_pool pool_;
  boost::asio::thread_pool heavy_pool_;
};

}  // namespace postproof::os
