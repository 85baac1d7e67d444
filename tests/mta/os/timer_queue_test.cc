// The heap against a model that is plainly right, under many random operations.
#include "mta/os/timer_queue.h"

#include <doctest/doctest.h>

#include <map>
#include <utility>
#include <vector>

namespace postproof::os {
namespace {

MonoTime at(std::uint64_t when) { return MonoTime{} + std::chrono::nanoseconds(when); }

TEST_CASE("timer queue: soonest first, ties in the order of adding, against a model") {
  std::uint64_t state = 7;
  const auto draw = [&](std::uint64_t bound) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % bound;
  };
  TimerQueue queue;
  std::map<std::pair<MonoTime, int>, Clock::TimerId> model;  // (when, number): numbers grow
  std::vector<int> fired;
  int number = 0;
  for (int step = 0; step < 50'000; ++step) {
    const std::uint64_t choice = draw(10);
    if (choice < 5) {
      const MonoTime when = at(draw(64));
      const int mine = ++number;
      const auto id = queue.add(when, [&fired, mine](bool) { fired.push_back(mine); });
      CHECK(id != 0);
      model.emplace(std::pair(when, mine), id);
    } else if (choice < 8 && !model.empty()) {
      auto victim = model.begin();
      std::advance(victim, draw(model.size()));
      if (!queue.remove(victim->second)) FAIL("a standing timer was not found");
      if (queue.remove(victim->second)) FAIL("a timer was removed twice");
      model.erase(victim);
    } else {
      const MonoTime now = at(draw(64));
      std::vector<int> expected;
      while (!model.empty() && model.begin()->first.first <= now && expected.size() < 3) {
        expected.push_back(model.begin()->first.second);
        model.erase(model.begin());
      }
      fired.clear();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        auto due = queue.take_due(now, queue.mark());
        if (!due) FAIL("a due timer was not given");
        (*due)(true);
      }
      if (fired != expected) FAIL("timers fired in the wrong order");
    }
    if (queue.size() != model.size()) FAIL("the sizes differ");
    if (queue.next() != (model.empty() ? kNever : model.begin()->first.first)) FAIL("the soonest differs");
  }
}

TEST_CASE("timer queue: what was added behind the mark is not taken") {
  TimerQueue queue;
  queue.add(at(5), [](bool) {});
  const std::uint64_t mark = queue.mark();
  queue.add(at(5), [](bool) {});
  CHECK(!queue.take_due(at(4), mark).has_value());
  CHECK(queue.take_due(at(5), mark).has_value());
  CHECK(!queue.take_due(at(5), mark).has_value());
  CHECK(queue.take_due(at(5), queue.mark()).has_value());
  CHECK(queue.empty());
}

TEST_CASE("timer queue: an old id means nothing once its slot has been used again") {
  TimerQueue queue;
  const auto first = queue.add(at(1), [](bool) {});
  CHECK(queue.remove(first));
  const auto second = queue.add(at(1), [](bool) {});
  CHECK(first != second);
  CHECK(!queue.remove(first));
  CHECK(!queue.remove(0));
  CHECK(!queue.remove(second + 1));
  CHECK(queue.remove(second));
}

}  // namespace
}  // namespace postproof::os
