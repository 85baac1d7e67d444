// Lines and raw octets from a stream, through one buffer. Reading a line is a plain call; only an empty
// buffer costs a coroutine. Whoever upgrades the stream to TLS must find the buffer empty(): what came in
// the clear behind STARTTLS is an injection (RFC 3207 section 6).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/env/stream.h"

namespace postproof::smtp {

class LineReader {
 public:
  enum class LineEnd : std::uint8_t {
    crlf,  // and nothing else (RFC 5321 section 2.3.8): a bare CR or LF stays within the line
    lf,    // with a CR before it or not
  };

  struct Line {
    std::string_view text;  // without its end; valid until the next call
    std::size_t size = 0;   // of the whole line as it came, with its end
    bool overlong = false;  // over the limit: `text` is its beginning
  };

  // `line_max`: octets of a line with its end. `buffer_size`, of the buffer at its largest, must be greater.
  LineReader(Stream& stream, LineEnd line_end, std::size_t line_max, std::size_t buffer_size);

  // The next line, if it is there whole. An overlong line is read to its end; its beginning is
  // kept, not quite line_max octets.
  std::optional<Line> try_line();

  // Waits for more octets. False: the peer has ended its direction.
  Task<Result<bool>> fill(Deadline deadline);

  // Octets that have come and are not taken yet; not to be mixed with a line that is half read.
  std::string_view buffered() const { return std::string_view(buffer_.data() + begin_, end_ - begin_); }
  void consume(std::size_t octets);

  // Nothing is left over, not even a part of a line.
  bool empty() const { return pending() == 0; }
  // Octets behind the last line that was given, those of an overlong line that were dropped included.
  std::size_t pending() const { return dropped_ + (end_ - begin_); }

 private:
  std::optional<Line> end_line(std::size_t size);
  void keep_beginning(std::size_t size);
  void drop_overlong();

  Stream& stream_;
  LineEnd line_end_;
  std::size_t line_max_;
  std::size_t buffer_size_;
  std::vector<char> buffer_;  // allocated by the first fill; grows to buffer_size_ where octets come in such numbers
  bool was_full_ = true;      // behind the last fill
  std::size_t begin_ = 0;     // of what is not taken yet
  std::size_t end_ = 0;
  std::size_t scanned_ = 0;  // octets from begin_ in which no line end was found
  std::size_t dropped_ = 0;  // octets of the present overlong line that are out of the buffer already
  std::string cut_;          // its beginning
};

}  // namespace postproof::smtp
