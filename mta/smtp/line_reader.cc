#include "mta/smtp/line_reader.h"

#include <algorithm>
#include <cstring>

#include "mta/base/check.h"

namespace postproof::smtp {

namespace {

// What a connection that says little costs: a group of commands fits. One that sends more than fits gets more room.
constexpr std::size_t kFirstRoom = 1024;
constexpr std::size_t kGrowth = 4;

}  // namespace

LineReader::LineReader(Stream& stream, LineEnd line_end, std::size_t line_max, std::size_t buffer_size)
    : stream_(stream), line_end_(line_end), line_max_(line_max), buffer_size_(buffer_size) {
  PP_CHECK(line_max > 2 && buffer_size > line_max, "a line must fit into its buffer");
}

std::optional<LineReader::Line> LineReader::try_line() {
  while (scanned_ < end_ - begin_) {
    const char* from = buffer_.data() + begin_ + scanned_;
    const auto* lf = static_cast<const char*>(std::memchr(from, '\n', end_ - begin_ - scanned_));
    if (lf == nullptr) {
      scanned_ = end_ - begin_;
      break;
    }
    const auto size = static_cast<std::size_t>(lf + 1 - (buffer_.data() + begin_));
    // The CR of an overlong line's CRLF always stands in the buffer: drop_overlong keeps the last octet there.
    if (line_end_ == LineEnd::lf || (size > 1 && lf[-1] == '\r')) return end_line(size);
    scanned_ = size;  // a bare LF: part of the line
  }
  if (pending() > line_max_) drop_overlong();
  return std::nullopt;
}

// The line ends `size` octets behind begin_.
std::optional<LineReader::Line> LineReader::end_line(std::size_t size) {
  Line line;
  line.size = dropped_ + size;
  line.overlong = line.size > line_max_;
  if (line.overlong) {
    keep_beginning(size);
    line.text = cut_;
  } else {
    const bool with_cr = size > 1 && buffer_[begin_ + size - 2] == '\r';
    line.text = std::string_view(buffer_.data() + begin_, size - (with_cr ? 2 : 1));
  }
  begin_ += size;
  scanned_ = 0;
  dropped_ = 0;
  return line;
}

// Of an overlong line: less than a line_max, so that its end is never part of it.
void LineReader::keep_beginning(std::size_t size) {
  const std::size_t kept_max = line_max_ - 2;
  if (dropped_ == 0) cut_.clear();
  if (cut_.size() < kept_max) cut_.append(buffer_.data() + begin_, std::min(size, kept_max - cut_.size()));
}

// Makes room: keeps the line's beginning aside, and in the buffer the last octet, which may be the CR of its end.
void LineReader::drop_overlong() {
  const std::size_t drop = end_ - begin_ - 1;
  keep_beginning(drop);
  dropped_ += drop;
  begin_ += drop;
  scanned_ = end_ - begin_;
}

Task<Result<bool>> LineReader::fill(Deadline deadline) {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (was_full_ && buffer_.size() < buffer_size_) {
    buffer_.resize(std::min(std::max(buffer_.size() * kGrowth, kFirstRoom), buffer_size_));
  }
  PP_CHECK(end_ < buffer_.size(), "a fill without taking what is there");
  const auto got = co_await stream_.read_some(std::span(buffer_.data() + end_, buffer_.size() - end_), deadline);
  if (!got) co_return std::unexpected(got.error());
  end_ += *got;
  was_full_ = end_ == buffer_.size();
  co_return *got > 0;
}

void LineReader::consume(std::size_t octets) {
  PP_CHECK(octets <= end_ - begin_, "more octets taken than there are");
  begin_ += octets;
  scanned_ = 0;
}

}  // namespace postproof::smtp
