// A recording as one JSON object, put in order for those who look at it: hosts, connections with their dialogues,
// what became of each recipient, questions to the DNS, decisions of TLS, faults, and what the judge told.
// The HTML page is drawn from it. Described in docs/recording.md.
#pragma once

#include <cstddef>
#include <string>

#include "sim/recording/record.h"

namespace postproof::sim {

// How much of a large run stays in it; what does not is counted in "left_out".
struct JsonViewLimits {
  std::size_t connections = 300;
  std::size_t lines = 400;            // of one dialogue
  std::size_t lines_all = 20'000;     // of all dialogues
  std::size_t content_lines = 40;     // of one message
  std::size_t recipients = 300;
  std::size_t recipient_entries = 200;  // of one recipient
  std::size_t dns = 500;
  std::size_t messages = 1'000;
  std::size_t tls = 500;
  std::size_t faults = 500;
  std::size_t failures = 100;
  std::size_t failure_events = 30;
  std::size_t source = 5'000;  // lines
};

// UTF-8, on one line without a line end. Of connections those that failures speak of and those with trouble are kept
// before others.
std::string json_view(const Recording& recording, const JsonViewLimits& limits = {});

}  // namespace postproof::sim
