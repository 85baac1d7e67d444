#include "sim/wire/line_buffer.h"

#include <fmt/format.h>

#include "mta/base/check.h"

namespace postproof::sim {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;

}  // namespace

void LineBuffer::read_from(Stream& stream) {
  consume(buffered().size());
  stream_ = &stream;
}

std::optional<std::string> LineBuffer::try_line(LineEnd end) {
  const std::string_view here = buffered();
  std::size_t from = searched_;
  for (;;) {
    const std::size_t lf = here.find('\n', from);
    if (lf == std::string_view::npos) break;
    const bool cr = lf > 0 && here[lf - 1] == '\r';
    if (cr || end == LineEnd::lf) {
      std::string line(here.substr(0, cr ? lf - 1 : lf));
      consume(lf + 1);
      return line;
    }
    from = lf + 1;
  }
  searched_ = here.size();
  return std::nullopt;
}

Task<Result<std::string>> LineBuffer::line(LineEnd end, Deadline deadline) {
  for (;;) {
    if (auto line = try_line(end)) co_return std::move(*line);
    if (buffered().size() > kWireLineMax) {
      co_return fail(Errc::too_large, fmt::format("read a line: over {} octets without an end", kWireLineMax));
    }
    const Result<std::size_t> more = co_await fill(deadline);
    if (!more) co_return fail("read a line", more.error());
    if (*more == 0) {
      co_return fail(Errc::unexpected_eof, buffered().empty() ? "read a line: the other side has closed"
                                                              : "read a line: the other side has closed within it");
    }
  }
}

Task<Result<std::size_t>> LineBuffer::fill(Deadline deadline) {
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    begin_ = 0;
  } else if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  // Read beside the buffer: growing it would fill the room with zeros at each call.
  if (!scratch_) scratch_ = std::make_unique_for_overwrite<char[]>(kReadSize);
  const Result<std::size_t> read = co_await stream_->read_some(std::span<char>(scratch_.get(), kReadSize), deadline);
  const std::string_view more(scratch_.get(), read.value_or(0));
  buffer_ += more;
  if (observer_ && !more.empty()) observer_(more);
  co_return read;
}

void LineBuffer::consume(std::size_t octets) {
  PP_CHECK(octets <= buffered().size(), "more octets taken than are there");
  begin_ += octets;
  searched_ = 0;
}

}  // namespace postproof::sim
