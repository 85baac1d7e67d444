#include "mta/queue/journal_body.h"

#include "mta/base/crc32c.h"
#include "mta/base/limits.h"

namespace postproof::queue::journal {

bool BodyWriter::fits(std::size_t octets) const { return !in_file() && size_ + octets <= limits::kInlineBody; }

void BodyWriter::keep(std::string chunk) {
  size_ += chunk.size();
  pieces_.push_back(std::move(chunk));
}

Task<Result<void>> BodyWriter::write(std::string chunk) {
  if (!in_file()) {
    auto opened = co_await env_.disk.open(path_, OpenMode::create_new);
    if (!opened) co_return std::unexpected(std::move(opened.error()));
    file_ = std::move(*opened);
    std::vector<std::string> kept = std::exchange(pieces_, {});
    for (std::string& piece : kept) {
      auto written = co_await write_piece(std::move(piece));
      if (!written) co_return written;
    }
  }
  size_ += chunk.size();
  co_return co_await write_piece(std::move(chunk));
}

Task<Result<void>> BodyWriter::write_piece(std::string piece) {
  crc_ = crc32c(piece, crc_);
  auto written = co_await file_->write_at(written_, piece);
  if (written) written_ += piece.size();
  co_return written;
}

Task<Result<void>> BodyWriter::sync() { co_return co_await file_->sync(); }

}  // namespace postproof::queue::journal
