// SMTP replies (RFC 5321 section 4.2), of one line or many, as simulated clients and observers read them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/wire/line_buffer.h"

namespace postproof::sim {

inline constexpr std::size_t kWireReplyLinesMax = 1000;  // a longer reply is Errc::protocol

struct WireReply {
  int code = 0;
  std::vector<std::string> lines;  // whole, as in "250-SIZE", without line ends

  bool positive() const { return code / 100 == 2; }
  // The lines, joined by CRLF.
  std::string text() const;
};

// The code, and whether more lines follow. None: not a reply line.
struct ReplyLine {
  int code = 0;
  bool more = false;
};
std::optional<ReplyLine> parse_reply_line(std::string_view line);

// The lines of one reply, put together as they come.
class ReplyCollector {
 public:
  enum class State : unsigned char { more, complete, broken };
  // broken: not a reply line, another code than the lines before, or too many lines.
  State add(std::string line);
  // The reply so far; the next add() begins a new one.
  WireReply take();

 private:
  WireReply reply_;
};

// A whole reply by the deadline. Errors: those of LineBuffer::line, and protocol.
Task<Result<WireReply>> read_reply(LineBuffer& buffer, Deadline deadline);

}  // namespace postproof::sim
