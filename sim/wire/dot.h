// Message content on the wire: dot-stuffing and the final dot (RFC 5321 section 4.5.2), and line ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postproof::sim {

// What ends a line in the eyes of a server; CRLF alone does by the rules (RFC 5321 section 2.3.8).
enum class LineMark : std::uint8_t { none, crlf, lf, cr };

// What stands in front of a dot and behind it.
struct FinalDot {
  LineMark before = LineMark::crlf, after = LineMark::crlf;
};

// Takes content off the wire as servers do that end it at other dots too, in front of which SMTP smuggling hides
// commands. A dot at the beginning of a line is stuffing behind CRLF only.
class LenientDotDecoder {
 public:
  // `also`: besides CRLF.CRLF.
  explicit LenientDotDecoder(std::vector<FinalDot> also) : also_(std::move(also)) {}
  // As DotDecoder's.
  std::size_t feed(std::string_view octets, std::string& content);
  bool done() const { return state_ == State::done; }

 private:
  enum class State : std::uint8_t { text, dot, dot_cr, done };
  bool ends(LineMark after) const;
  bool may_end() const;
  void add(char c, std::string& content);
  void add_dot(std::string& content);

  std::vector<FinalDot> also_;
  State state_ = State::text;
  LineMark mark_ = LineMark::crlf;  // what the octets before this one are; of a dot, those before it
};

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
