// Independent pieces of work on a few threads, their results told in one fixed order whatever the number of threads.
#pragma once

#include <cstddef>
#include <functional>

namespace postproof::sim {

// Calls work(0) to work(count - 1), on `jobs` threads at once (with one, on the caller's own), and done(i) for each in the
// order of the numbers, by one thread at a time, as soon as all before it have been done. Neither may throw.
void run_in_order(std::size_t count, std::size_t jobs, const std::function<void(std::size_t)>& work,
                  const std::function<void(std::size_t)>& done);

// Names what this thread is running while it lives: a broken invariant, which aborts, then tells it.
class Running {
 public:
  // `what` outlives it: "scenarios/a.toml --seed 7".
  explicit Running(const char* what);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
};

}  // namespace postproof::sim
