// Ownership of coroutines, on a bare executor.
#include "mta/env/task_group.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>

namespace postproof {
namespace {

namespace asio = boost::asio;

Task<void> turns(int count, std::string& trace, char name) {
  for (int i = 0; i < count; ++i) {
    trace += name;
    co_await asio::post(asio::use_awaitable);
  }
}

Task<void> joined(TaskGroup& group, std::string& trace) {
  co_await group.join();
  trace += '.';
}

TEST_CASE("task group: tasks start in order, never within spawn, and join comes after the last") {
  asio::io_context context(1);
  TaskGroup group(context.get_executor());
  TaskGroup joiners(context.get_executor());
  std::string trace;
  group.spawn(turns(3, trace, 'a'));
  group.spawn(turns(1, trace, 'b'));
  group.spawn(turns(2, trace, 'c'));
  joiners.spawn(joined(group, trace));
  CHECK(trace.empty());
  CHECK(group.size() == 3);
  context.run();
  CHECK(trace == "abcaca.");
  CHECK(group.size() == 0);
  CHECK(joiners.size() == 0);
}

TEST_CASE("task group: joining an empty one returns") {
  asio::io_context context(1);
  TaskGroup group(context.get_executor());
  TaskGroup joiners(context.get_executor());
  std::string trace;
  joiners.spawn(joined(group, trace));
  context.run();
  CHECK(trace == ".");
}

TEST_CASE("task group: a task spawned by the last one is waited for too") {
  asio::io_context context(1);
  TaskGroup group(context.get_executor());
  TaskGroup joiners(context.get_executor());
  std::string trace;
  const auto parent = [&]() -> Task<void> {
    co_await asio::post(asio::use_awaitable);
    group.spawn(turns(2, trace, 'k'));
    trace += 'p';
  };
  group.spawn(parent());
  joiners.spawn(joined(group, trace));
  context.run();
  CHECK(trace == "pkk.");
}

}  // namespace
}  // namespace postproof
