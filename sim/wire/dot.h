// Message content on the wire: dot-stuffing and the final dot (RFC 5321 section 4.5.2), and line ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postproof::sim {

// Takes content off the wire. Only CRLF "." CRLF ends it, and the content's first line counts as one behind
// a CRLF. Bare CR and bare LF are content and stay as they are; a dot behind them is no stuffing.
class DotDecoder {
 public:
  // Adds to `content` what was decoded. Returns how many of the octets were taken: all of them, or those
  // up to the end of the final dot's line.
  std::size_t feed(std::string_view octets, std::string& content);
  bool done() const { return state_ == State::done; }

 private:
  enum class State : unsigned char { line_start, text, cr, dot, dot_cr, done };
  State state_ = State::line_start;
};

// As it crosses the wire, final dot included. Content that does not end in CRLF gets one.
std::string dot_encode(std::string_view content);

// LF and CRLF both become CRLF; a bare CR stays.
std::string with_crlf(std::string_view text);

}  // namespace postproof::sim
