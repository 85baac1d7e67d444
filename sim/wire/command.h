// SMTP command lines as simulated servers and observers of a wire take them apart. Tolerant: what a
// command means is looked for, and nothing is refused here but by the caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postproof::sim {

struct WireCommand {
  std::string verb;      // in upper case, "" for an empty line
  std::string argument;  // behind the verb, without blanks around it
  // MAIL and RCPT with FROM: or TO: and a path behind it:
  bool has_path = false;
  std::string address;     // without brackets, "" for the null path; a source route is kept
  std::string parameters;  // behind the path, without blanks around it
};

// `line` without its end.
WireCommand parse_command(std::string_view line);

// "<a@b.example> SIZE=3" or "a@b.example SIZE=3": a path and what follows. None: an open bracket or quote.
struct WirePath {
  std::string address;
  std::string parameters;
};
std::optional<WirePath> parse_path(std::string_view text);

}  // namespace postproof::sim
