// The files of `--report DIR`: for each run DIR/SCENARIO[.VARIANT].jsonl, its recording, and, when it failed,
// what is wrong with it in a .txt beside it. SCENARIO is the file's path without .toml. Nothing in them
// depends on when, where or how fast they were written: equal runs leave equal files.
#pragma once

#include <string>
#include <string_view>

#include "mta/base/result.h"
#include "sim/recording/record.h"

namespace postproof::sim {

// The path of a run's files below the report's folder, without an ending: "scenarios/mx/failover.disk_op=3".
// A scenario outside the current folder stays inside the report's all the same.
std::string report_name(std::string_view scenario, std::string_view variant);

// `failure` is empty for a run that passed; what an earlier run has left under the same name goes.
Result<void> write_report(const std::string& directory, const Recording& recording, std::string_view failure);

// A folder, and those above it; fine when it is there already.
Result<void> make_folder(const std::string& path);

// Whole files, as main and the suite need them.
Result<std::string> read_text_file(const std::string& path);
Result<void> write_text_file(const std::string& path, std::string_view text);

}  // namespace postproof::sim
