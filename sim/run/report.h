// The files of `--report DIR`: for each run DIR/SCENARIO[.VARIANT].jsonl, its recording, and its views beside it.
// SCENARIO is the file's path without .toml. Nothing in them depends on when, where or how fast they were written:
// equal runs leave equal files.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/result.h"
#include "sim/recording/record.h"

namespace postproof::sim {

// The path of a run's files below the report's folder, without an ending: "scenarios/mx/failover.disk_op=3".
// A scenario outside the current folder stays inside the report's all the same.
std::string report_name(std::string_view scenario, std::string_view variant);

// Writes .jsonl, .txt (transcript), .html and .pcap; .keys where there was TLS; .failed.txt, the report of what failed,
// where something did. What an earlier run has left under the same name goes. Returns the endings that are there now.
Result<std::vector<std::string>> write_report(const std::string& directory, const Recording& recording);

// Of a group of seeds, of which one run has those files: the recording of another, SCENARIO[.VARIANT].seed=N.jsonl.
Result<void> write_recording_of_group(const std::string& directory, const Recording& recording);

// A file of the report that is about all runs.
Result<void> write_report_file(const std::string& directory, std::string_view name, std::string_view text);

// A folder, and those above it; fine when it is there already.
Result<void> make_folder(const std::string& path);
// Whether it could be made, and written into: the errors of make_folder before there is anything to write.
Result<void> check_folder(const std::string& path);

// Whole files, as main and the suite need them. What is no regular file, or longer, is an error.
Result<std::string> read_text_file(const std::string& path,
                                   std::size_t octets_max = std::numeric_limits<std::size_t>::max());
Result<void> write_text_file(const std::string& path, std::string_view text);
// Fails where there is something of that name.
Result<void> create_text_file(const std::string& path, std::string_view text);

}  // namespace postproof::sim
