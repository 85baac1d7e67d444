// SMTP command lines as simulated servers and observers of a wire take them apart. Tolerant: what a
// command means is looked for, and nothing is refused here but by the caller.
#pragma once

#include <cstddef>
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

// What BDAT announces (RFC 3030 section 2).
struct WireChunk {
  std::size_t size = 0;
  bool last = false;
};
// None: another command, or a size that nobody can read.
std::optional<WireChunk> parse_chunk(const WireCommand& command);

// The size of the PROXY header (HAProxy's proxy-protocol.txt) that these first octets of a connection begin with. 0: they
// begin with something else; none: more is needed to tell.
std::optional<std::size_t> proxy_header_size(std::string_view octets);

// "<a@b.example> SIZE=3" or "a@b.example SIZE=3": a path and what follows. None: an open bracket or quote.
struct WirePath {
  std::string address;
  std::string parameters;
};
std::optional<WirePath> parse_path(std::string_view text);

}  // namespace postproof::sim
