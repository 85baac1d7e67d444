// Runs a scenario: builds its world, lets it happen, judges it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/judge/judge.h"
#include "sim/recording/record.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

struct RunResult;

struct RunOptions {
  std::optional<std::uint64_t> seed;  // in place of the scenario's
  // disk_op = "each": the number of the operation at which this variant crashes.
  std::optional<std::uint64_t> disk_op;
  // Of a group of seeds: told of each run, judged by itself.
  std::function<void(const RunResult&)> of_group{};
};

struct RunResult {
  Recording recording;
  std::string skipped;     // why nothing was run: "sut lacks dsn"; empty: it was
  Judgement judgement;
  bool fault_fired = true;  // false: the disk_op variant's crash never came: the series is over
  Duration virtual_time{};
};

// What the judge told stands behind the run's end, so that views can show it whenever the recording is read.
void record_judgement(const Judgement& judgement, Duration at, Recording& recording);

// One world, one run.
RunResult run_once(const Scenario& scenario, const RunOptions& options);

// What the scenario needs and its MTAs lack: "sut lacks dsn"; empty: nothing.
std::string missing_capabilities(const Scenario& scenario);

// The scenario with all runs that it stands for: n = 1, 2, ... for disk_op = "each" until the fault no longer fires
// (that last run without a crash is kept too), otherwise one. `only` narrows it to the variants that it asks for
// (scenario/variant.h). Of a group of seeds one result stays: the first that failed, else the first.
std::vector<RunResult> run_scenario(const Scenario& scenario, std::optional<std::uint64_t> seed,
                                    const std::optional<std::string>& only,
                                    std::function<void(const RunResult&)> of_group = {});

}  // namespace postproof::sim
