// A world to test in, with hosts a (10.0.0.1), b (10.0.0.2) and c (10.0.0.3).
#pragma once

#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "sim/world/node.h"
#include "sim/world/sim_network.h"
#include "sim/world/world.h"

namespace postproof::sim {

inline IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
inline Endpoint endpoint(std::string_view text) { return *Endpoint::parse(text); }

struct Fixture {
  explicit Fixture(WorldSettings settings = {}) : world(std::move(settings), recording) {}

  World::Stopped run(Duration limit = 24h) { return world.run(limit, {}); }
  template <class What>
  std::vector<std::pair<Duration, What>> records() const {
    std::vector<std::pair<Duration, What>> found;
    for (const Record& record : recording.records) {
      if (const auto* what = std::get_if<What>(&record.what)) found.emplace_back(record.at, *what);
    }
    return found;
  }

  Recording recording;
  World world;
  Node& a = world.add_node("a", {ip("10.0.0.1"), ip("2001:db8::1")});
  Node& b = world.add_node("b", {ip("10.0.0.2"), ip("10.0.0.22"), ip("2001:db8::2")});
  Node& c = world.add_node("c", {ip("10.0.0.3")});
};

// What a test's programs saw, one word or line each, with the virtual time. They may write to the end of
// the world, which comes with the end of the first diary.
struct Diary {
  explicit Diary(World& of_the_world) : world(of_the_world) {}
  ~Diary() { world.shut_down(); }
  Diary(const Diary&) = delete;
  Diary& operator=(const Diary&) = delete;
  void note(std::string what) { text += format_duration(world.now()) + " " + what + "\n"; }
  World& world;
  std::string text;
};

template <class T>
std::string outcome(const Result<T>& result) {
  return result ? "ok" : std::string(to_string(result.error().code));
}

// Reads to the end, or to an error, which it names.
inline Task<std::string> read_to_end(Stream& stream, Deadline deadline = kNever) {
  std::string all;
  char buffer[4096];
  for (;;) {
    const auto size = co_await stream.read_some(buffer, deadline);
    if (!size) co_return all + "<" + std::string(to_string(size.error().code)) + ">";
    if (*size == 0) co_return all + "<end>";
    all.append(buffer, *size);
  }
}

}  // namespace postproof::sim
