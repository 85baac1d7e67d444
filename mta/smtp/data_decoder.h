// The content that a client sends, decoded: behind 354 the end of data found and dots unstuffed (RFC 5321 section 4.5.2), in
// the chunks of BDAT octets as they are, of which the caller knows how many there will be (RFC 3030 section 2). No I/O.
//
// Only CRLF.CRLF ends the data, and only a dot behind CRLF (or behind the 354) is unstuffed: LF.LF, LF.CRLF, CR.CR
// and the like are content. Taking one of them for an end or for a line's beginning, when the host before us does
// not, is what SMTP smuggling lives on. Bare CRs and LFs are told, for the caller to refuse the message; where an
// operator wants them taken, each becomes CRLF, so that what is stored has one kind of line end only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postproof::smtp {

class DataDecoder {
 public:
  enum class BareNewlines : std::uint8_t { keep, convert };
  enum class Framing : std::uint8_t {
    dots,    // DATA: a dot ends it, and dots are stuffed
    chunks,  // BDAT: a dot is an octet like any other, and finish() ends it
  };
  explicit DataDecoder(BareNewlines bare, Framing framing = Framing::dots) : bare_(bare), framing_(framing) {}

  // Takes octets in pieces of any size, up to the end of data and not an octet further. Returns how many it took:
  // all of them, unless it is done() or has a full() chunk that must be taken first.
  std::size_t feed(std::string_view octets);

  // All chunks have been fed, and nothing is full(). A CR that nothing follows is a bare one, and content that does not end
  // in CRLF gets it: lines are what messages are made of (RFC 5321 section 2.3.8), and DATA could not give on any other.
  void finish();

  bool done() const { return state_ == State::done; }
  bool full() const;
  // Content that is ready: a full chunk in the middle, what is left at the end; at most limits::kChunk.
  std::string take();
  // From now on content is counted, not kept: the message is refused already.
  void discard();

  bool bare_newline() const { return bare_newline_; }  // a bare CR or LF has come
  // Octets of content so far: CRLF counted, stuffing and final dot not (RFC 1870 section 3).
  std::uint64_t size() const { return size_; }

 private:
  enum class State : std::uint8_t {
    line_start,  // behind CRLF, or at the very beginning
    middle,
    cr,      // a CR has come, and is held back
    dot,     // a dot at a line's start has come, and is held back
    dot_cr,  // and a CR behind it
    done,
  };

  void step(char c);
  void put(std::string_view octets);
  void put_bare(char c);

  BareNewlines bare_;
  Framing framing_;
  State state_ = State::line_start;
  bool bare_newline_ = false;
  bool line_ended_ = true;  // what was put last is a CRLF
  bool discarding_ = false;
  std::uint64_t size_ = 0;
  std::string ready_;
};

}  // namespace postproof::smtp
