#include "sim/explore_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "sim/exit_status.h"
#include "sim/explore/explore.h"
#include "sim/run/report.h"
#include "sim/run/suite.h"

namespace postproof::sim {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

// Virtual time is counted in years before long.
std::string long_time(Duration duration) {
  const double days = std::chrono::duration<double, std::ratio<86400>>(duration).count();
  return days < 730 ? fmt::format("{:.1f} days", days) : fmt::format("{:.1f} years", days / 365.25);
}

// So often at the most.
constexpr std::chrono::milliseconds kProgressEvery{200};

void tell_progress(const Exploration& exploration, std::uint64_t seeds, Clock::time_point began) {
  fmt::print(stderr, "\r\033[K{}/{} seeds  {:.0f}/s  {} of virtual time  {}/{} probes  {} found ", exploration.seeds, seeds,
             static_cast<double>(exploration.seeds) / std::max(seconds_since(began), 1e-3),
             long_time(exploration.virtual_time), exploration.probes.reached(), all_probes().size(), exploration.found);
}

void tell_found(const Found& found) {
  fmt::print("seed {} of {} breaks an invariant: {}\n", found.seed, found.source, found.invariant);
  fmt::print("  shrunk to {} lines in {} runs: {}\n", found.lines, found.runs, found.file);
  fmt::print("{}\n", found.report);
  std::fflush(stdout);
}

int complain(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) fmt::print(stderr, "{}\n", problem.to_string());
  return kExitTrouble;
}

int print_scenario(const ExploreOptions& options) {
  const auto text = explored_text(options);
  if (!text) return complain(text.error());
  fmt::print("{}", *text);
  return kExitFine;
}

// "postproof explore scenarios/retry --generate", for the line that explores a seed again.
std::string command_of(const ExploreArguments& arguments) {
  std::string command = "postproof explore";
  for (const std::string& path : arguments.paths) command += " " + path;
  if (arguments.generate) command += " --generate";
  return command;
}

}  // namespace

int explore_command(const ExploreArguments& arguments) {
  ExploreOptions options;
  if (!arguments.paths.empty()) {
    auto paths = find_scenarios(arguments.paths, std::nullopt);
    if (!paths) {
      fmt::print(stderr, "postproof: {}\n", paths.error());
      return kExitTrouble;
    }
    options.paths = std::move(*paths);
  }
  options.traffic = arguments.generate || options.paths.empty();
  options.from = arguments.from;
  options.seeds = arguments.seeds;
  options.jobs = arguments.jobs;
  options.directory = arguments.output;
  options.command = command_of(arguments);

  if (arguments.print) return print_scenario(options);
  if (const auto writable = check_folder(options.directory); !writable) {
    fmt::print(stderr, "postproof: --output {}\n", writable.error().what);
    return kExitTrouble;
  }
  const bool progress = isatty(STDERR_FILENO) == 1;
  const auto began = Clock::now();
  std::vector<Found> found;
  bool trouble = false;
  ExploreListener listener;
  listener.found = [&](const Found& one) {
    if (progress) fmt::print(stderr, "\r\033[K");
    if (!arguments.json) tell_found(one);
    if (!one.trouble.empty()) fmt::print(stderr, "postproof: {}\n", one.trouble);
    trouble = trouble || !one.trouble.empty();
    found.push_back(one);
  };
  auto told = began;
  listener.ran = [&](const Exploration& exploration) {
    if (!progress || Clock::now() - told < kProgressEvery) return;
    told = Clock::now();
    tell_progress(exploration, options.seeds, began);
  };
  listener.goes_on = [&](const Exploration&) {
    return !arguments.minutes || seconds_since(began) < 60.0 * static_cast<double>(*arguments.minutes);
  };
  const auto explored = explore(options, listener);
  if (!explored) {
    return complain(explored.error());
  }
  if (progress) fmt::print(stderr, "\r\033[K");
  if (arguments.json) {
    fmt::print("{}", exploration_json(*explored, found));
  } else {
    fmt::print("{}{} seeds, {} failed in {} way{}; {} of virtual time{}\n", probes_text(explored->probes), explored->seeds,
               explored->failed, explored->found, explored->found == 1 ? "" : "s", long_time(explored->virtual_time),
               isatty(STDOUT_FILENO) == 1 ? fmt::format(" in {:.1f} s", seconds_since(began)) : "");
  }
  if (trouble) return kExitTrouble;
  return explored->failed == 0 ? kExitFine : kExitFailed;
}

}  // namespace postproof::sim
