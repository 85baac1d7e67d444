#include "sim/run/in_order.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "mta/base/check.h"

namespace postproof::sim {

namespace {

thread_local const char* running = nullptr;

void tell_running() {
  if (running != nullptr) std::fprintf(stderr, "while running %s\n", running);
}

}  // namespace

Running::Running(const char* what) {
  running = what;
  set_crash_hook(tell_running);
}

Running::~Running() {
  set_crash_hook(nullptr);
  running = nullptr;
}

void run_in_order(std::size_t count, std::size_t jobs, const std::function<void(std::size_t)>& work,
                  const std::function<void(std::size_t)>& done) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;  // guards what follows, and `done`
  std::vector<bool> finished(count);
  std::size_t told = 0;

  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      work(i);
      const std::lock_guard lock(mutex);
      finished[i] = true;
      for (; told < count && finished[told]; ++told) done(told);
    }
  };
  const std::size_t threads = std::min(std::max<std::size_t>(jobs, 1), count);
  if (threads <= 1) return run();
  std::vector<std::jthread> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.emplace_back(run);
}

}  // namespace postproof::sim
