// A recording as a file: JSON lines, described in docs/recording.md. Equal recordings give equal octets.
#pragma once

#include <string>
#include <string_view>

#include "mta/base/result.h"
#include "sim/recording/record.h"

namespace postproof::sim {

inline constexpr std::string_view kRecordingFormat = "postproof-recording";
inline constexpr int kRecordingVersion = 2;

// One object a line: a header, then a record each. ASCII only. In each string the characters U+0000 to
// U+00FF stand for one octet each, so that what crossed a wire is kept as it was.
std::string recording_to_json_lines(const Recording& recording);

// Reads what recording_to_json_lines writes. Keys that are not known are passed over, kinds of records that are
// not known are errors. Errors: wrong_version, and corrupt with "line N: what is wrong".
Result<Recording> recording_from_json_lines(std::string_view text);

// Why these cannot be all the records of a run, in their order: times go back, a failure names an event that is not there,
// the end or the verdict is missing. Empty: nothing shows.
std::string what_is_missing(const Recording& recording);

}  // namespace postproof::sim
