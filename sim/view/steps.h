// A recording as a row of steps, from which the views for people are made: one step a line of SMTP, and one
// for everything else that happened, each with who it concerns and a text in printable ASCII.
//
// SMTP is split into lines here as any observer of a wire could, without believing either end: a line goes
// to its LF, and what the opener sends between a 354 and CRLF.CRLF is content. Of a connection in TLS the
// octets are counted until the handshake is done; from then on the lines are those that TLS hid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/recording/record.h"

namespace postproof::sim {

struct Step {
  enum class Kind : std::uint8_t {
    node, dial, established, refused,
    line,      // of SMTP, or a count of octets that TLS hides
    content,   // a line of a message's content, or the count of those that were left out
    fin, reset, tls, datagram, dns, message, script, disk, fault, event, queue, end, failure, verdict
  };
  Kind kind = Kind::line;
  Duration at{};
  std::size_t record = 0;       // index: what it is made of, the last one for a line
  ConnectionId connection = 0;  // 0: none
  std::string from, to;         // hosts, `from` the one that acts; `to` is empty where no other is concerned
  bool back = false;            // on a connection: by its acceptor
  bool lost = false;            // octets that never arrive
  bool hidden = false;          // TLS hid it on the wire
  std::string text;
};

struct StepOptions {
  bool disk = false;              // disk operations too
  bool all_events = false;        // the MTA's events that only repeat the wire too
  std::size_t content_lines = 4;  // of a message that are told; then "... N octets in M lines"
};

std::vector<Step> read_steps(const Recording& recording, const StepOptions& options);

// One record alone; what octets hold is joined by " | ". The index must be one of the recording's.
Step read_step(const Recording& recording, std::size_t index);

// "delivered message=0001 host=mx1": values that would not read as one word are quoted.
std::string event_field(std::string_view key, std::string_view value);

}  // namespace postproof::sim
