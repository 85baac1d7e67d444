// Explores: runs scenarios, or traffic that it draws, under random faults; what breaks an invariant is shrunk to a small
// scenario that breaks it too, and written out. Everything comes from the seeds: equal explorations give equal results,
// whatever the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "sim/probe/probes.h"
#include "sim/run/suite.h"

namespace postproof::sim {

struct ExploreOptions {
  std::vector<std::string> paths;  // scenarios that take turns, seed by seed
  bool traffic = true;             // drawn traffic has its turn too
  std::uint64_t from = 1;          // the first seed
  std::uint64_t seeds = 1000;      // so many
  std::size_t jobs = 1;
  std::string directory;           // where failures are written
  std::string command;             // that explores the same again but for its seeds, for reports: "postproof explore"
};

// One way of failing: the first seed that failed so.
struct Found {
  std::uint64_t seed = 0;
  std::string source;     // the scenario's path; of drawn traffic "traffic"
  std::string invariant;
  std::string nearest;    // of the shrunk run
  std::string file;       // the shrunk scenario
  std::size_t lines = 0;  // of it, comments and blank ones aside
  std::size_t runs = 0;   // that shrinking took
  std::string report;     // of the shrunk run, for people
  std::string trouble;    // the file could not be written; empty: none
};

struct Exploration {
  std::uint64_t seeds = 0;   // that were run
  std::uint64_t failed = 0;  // of them
  Duration virtual_time{};
  std::size_t found = 0;
  ProbeCount probes;
};

// Who hears of an exploration: one thread at a time.
struct ExploreListener {
  std::function<void(const Found&)> found;            // a way of failing, in the order of the seeds
  std::function<void(const Exploration&)> ran;        // after each seed, with what there is so far
  std::function<bool(const Exploration&)> goes_on;    // asked between batches of seeds
};

// The problems of scenarios that cannot be read; or what the exploration came to. A way of failing is an invariant broken
// in a scenario, and after kFoundMax of them the exploration ends.
inline constexpr std::size_t kFoundMax = 16;
std::expected<Exploration, std::vector<Problem>> explore(const ExploreOptions& options, const ExploreListener& listener);

// The scenario that the first of the seeds stands for, as it would be run.
std::expected<std::string, std::vector<Problem>> explored_text(const ExploreOptions& options);

// What an exploration came to, for scripts: one JSON object, a line.
std::string exploration_json(const Exploration& exploration, const std::vector<Found>& found);

}  // namespace postproof::sim
