// Wire-exact dialogues: one step a line, read from either side of a connection.
//
//   > TEXT        sends the line with CRLF
//   >> "OCTETS"   sends the octets as written: \r \n \t \0 \\ \" \xHH
//   < PREFIX      reads a line that must begin with PREFIX; as a client a whole reply, of which a line must
//   <= LINE       the same, but the line must be LINE and nothing more
//   ! wait 5s            does nothing for so long
//   ! close | reset | half-close
//   ! eof within 5m      the other side must end or reset the connection by then
//   ! silence 10s        nothing may arrive for so long
//   ! drip 1B/s          what is sent from here on goes octet by octet at this rate
//   ! tls                puts TLS over the connection: what follows is sent and read through it
//   ! auth MECHANISM LOGIN PASSWORD [SLIP]   as a client, says AUTH and answers challenges; the outcome is for the next step
//   ! drain              reads and drops until a line "." (content) has come
// A # at the start of a line begins a comment. Blanks in front of a step are skipped; behind >, < and <= there is
// one blank, and everything after it is text. Nothing may follow close, reset and eof but comments. A dialogue that
// comes to its end closes the connection. What is waited for without a time must come within kScriptWait.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/time.h"
#include "sim/scenario/logins.h"

namespace postproof::sim {

inline constexpr Duration kScriptWait = std::chrono::minutes{10};

struct ScriptStep {
  enum class Kind : std::uint8_t {
    send, expect, expect_line, wait, close, reset, half_close, eof_within, silence, drip, drain, tls, auth
  };
  Kind kind = Kind::send;
  std::string text;     // send: octets with line end; expect: prefix; expect_line: the line
  ClientLogin login{};  // auth
  Duration duration{};  // wait, eof_within, silence; drip: time for one octet
  std::uint32_t line = 0;  // in the scenario file
};

struct ScriptError {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string what;
};

// `first_line` is the file's line of the script's first line.
std::expected<std::vector<ScriptStep>, ScriptError> parse_script(std::string_view script, std::uint32_t first_line);

}  // namespace postproof::sim
