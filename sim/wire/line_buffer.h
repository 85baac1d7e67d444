// Lines out of a stream, for simulated peers and clients.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mta/env/stream.h"

namespace postproof::sim {

inline constexpr std::size_t kWireLineMax = 1024 * 1024;  // a line longer than this is Errc::too_large

enum class LineEnd : std::uint8_t {
  crlf,  // RFC 5321 section 2.3.8: a bare CR or LF is a part of the line
  lf,    // what looks at a wire and wants to see all of it: LF ends a line, a CR in front of it is dropped
};

// The stream must outlive it. One call at a time.
class LineBuffer {
 public:
  explicit LineBuffer(Stream& stream) : stream_(&stream) {}
  LineBuffer(const LineBuffer&) = delete;
  LineBuffer& operator=(const LineBuffer&) = delete;

  // Sees all octets as they come out of the stream, before anybody takes them.
  void observe(std::function<void(std::string_view)> observer) { observer_ = std::move(observer); }

  // Reads from another stream from now on. What is buffered came from the old one, and is dropped.
  void read_from(Stream& stream);

  // A line that is here already, without its end.
  std::optional<std::string> try_line(LineEnd end);
  // The next line, without its end. Errors: the stream's, unexpected_eof (in front of a line and within
  // one), too_large.
  Task<Result<std::string>> line(LineEnd end, Deadline deadline);

  // Reads more; 0: the other side has ended its direction.
  Task<Result<std::size_t>> fill(Deadline deadline);
  std::string_view buffered() const { return std::string_view(buffer_).substr(begin_); }
  void consume(std::size_t octets);

 private:
  Stream* stream_;
  std::function<void(std::string_view)> observer_;
  std::unique_ptr<char[]> scratch_;  // where reads go first
  std::string buffer_;
  std::size_t begin_ = 0;     // of what nobody has taken
  std::size_t searched_ = 0;  // octets behind begin_ that hold no line end
};

}  // namespace postproof::sim
