#include "sim/world/event_heap.h"

#include <doctest/doctest.h>

#include <map>
#include <utility>

#include "sim/world/sim_random.h"

namespace postproof::sim::world {

TEST_CASE("events come by time, and those of one moment in the order in which they were added") {
  EventHeap heap;
  std::string seen;
  for (const auto& [at, name] : {std::pair{3, 'd'}, {1, 'a'}, {2, 'b'}, {3, 'e'}, {2, 'c'}, {3, 'f'}}) {
    heap.add(Duration(at), [&seen, name] { seen += name; });
  }
  while (!heap.empty()) heap.pop()();
  CHECK(seen == "abcdef");
}

TEST_CASE("a cancelled event is gone at once, and its id is good for nothing afterwards") {
  EventHeap heap;
  int ran = 0;
  const EventId first = heap.add(Duration(1), [&] { ++ran; });
  CHECK(heap.cancel(first));
  CHECK(heap.empty());
  CHECK_FALSE(heap.cancel(first));
  const EventId second = heap.add(Duration(1), [&] { ++ran; });  // takes the same slot
  CHECK(second != first);
  CHECK_FALSE(heap.cancel(first));
  heap.pop()();
  CHECK(ran == 1);
  CHECK_FALSE(heap.cancel(second));
  CHECK_FALSE(heap.cancel(0));
}

TEST_CASE("many additions and cancellations agree with a sorted map") {
  EventHeap heap;
  SimRandom random(11);
  std::map<std::pair<Duration, int>, EventId> model;
  std::vector<int> got, wanted;
  int number = 0;
  for (int step = 0; step < 20'000; ++step) {
    switch (random.below(4)) {
      case 0:
      case 1: {
        const Duration at(random.below(1000));
        const int mine = number++;
        model.emplace(std::pair(at, mine), heap.add(at, [&got, mine] { got.push_back(mine); }));
        break;
      }
      case 2:
        if (!model.empty()) {
          auto victim = model.begin();
          std::advance(victim, static_cast<long>(random.below(std::min<std::size_t>(model.size(), 20))));
          REQUIRE(heap.cancel(victim->second));
          model.erase(victim);
        }
        break;
      default:
        if (!model.empty()) {
          REQUIRE(heap.next_time() == model.begin()->first.first);
          heap.pop()();
          wanted.push_back(model.begin()->first.second);
          model.erase(model.begin());
        }
    }
    REQUIRE(heap.size() == model.size());
  }
  CHECK(got == wanted);
}

}  // namespace postproof::sim::world
