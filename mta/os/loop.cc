#include "mta/os/loop.h"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "mta/base/check.h"
#include "mta/env/task_group.h"
#include "mta/os/clock.h"
#include "mta/os/core.h"
#include "mta/os/disk.h"
#include "mta/os/entropy.h"
#include "mta/os/network.h"
#include "mta/os/signal_mask.h"
#include "mta/os/work.h"

namespace postproof::os {

namespace asio = boost::asio;

struct Loop::Impl {
  Impl(EventSink& events, Workers& workers)
      : core(workers),
        clock(core),
        network(core),
        disk(core),
        work(core),
        env{core.context.get_executor(), clock, network, disk, entropy, events, tls, work},
        guard(core.context.get_executor()) {}

  void end() {
    if (std::exchange(core.stopping, true)) return;
    clock.end();
    // end() takes at most the one that it is called on off the list.
    for (auto next = core.waiting.begin(); next != core.waiting.end();) {
      Waiting* const waiting = *next++;
      waiting->end();
    }
    guard.reset();
  }

  Core core;
  OsClock clock;
  OsNetwork network;
  OsDisk disk;
  OsEntropy entropy;
  ProcessTls tls;
  OsWork work;
  Env env;
  // Until the loop is stopped it runs, even with nothing to do.
  asio::executor_work_guard<LoopExecutor> guard;
  bool ran = false;
};

Loop::Loop(EventSink& events, Workers& workers) : impl_(std::make_unique<Impl>(events, workers)) {
  ignore_broken_pipes();
}

Loop::~Loop() {
  impl_->end();
  impl_->core.context.restart();
  impl_->core.context.run();
}

Env& Loop::env() { return impl_->env; }

void Loop::run() {
  PP_CHECK(!std::exchange(impl_->ran, true), "a Loop runs once");
  impl_->core.context.run();
}

void Loop::stop() {
  asio::post(impl_->core.context, [impl = impl_.get()] { impl->end(); });
}

void Loop::on_signal(SignalHandler handler) { handle_signals(impl_->core, std::move(handler)); }

namespace {

Task<void> then_stop(Task<void> task, Loop& loop) {
  co_await std::move(task);
  loop.stop();
}

}  // namespace

void Loop::run_task(Task<void> task) {
  TaskGroup group(impl_->env.executor);
  group.spawn(then_stop(std::move(task), *this));
  run();
}

LoopThread::LoopThread(EventSink& events, Workers& workers, std::string name) : loop_(events, workers) {
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { loop_.run(); });
  name.resize(std::min<std::size_t>(name.size(), 15));
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

LoopThread::~LoopThread() { join(); }

void LoopThread::join() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace postproof::os
