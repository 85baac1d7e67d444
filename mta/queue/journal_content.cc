// Content of messages: read from segments and body files, and checked before its first octet is given out.
#include <fmt/format.h>

#include <algorithm>

#include "mta/base/crc32c.h"
#include "mta/base/limits.h"
#include "mta/queue/journal_core.h"

namespace postproof::queue {

using journal::Kept;

namespace {

Error content_is_bad(const StoredMessage& message) {
  return Error{Errc::corrupt, fmt::format("the content of message {} does not check out", message.id.to_string())};
}

}  // namespace

std::string JournalSpool::Core::segment_path(std::uint64_t number) const {
  return journal_directory_ + "/" + journal::segment_name(number);
}

Task<Result<std::string>> JournalSpool::Core::read(MessageId id, std::uint64_t offset, std::size_t size) {
  for (;;) {
    const Kept* kept = find(id);
    if (kept == nullptr) co_return fail(Errc::not_found, fmt::format("message {} is not in the queue", id.to_string()));
    if (kept->content_lost) co_return std::unexpected(content_is_bad(*kept->stored));
    const Source source{kept->stored, kept->place, kept->body_in_file, kept->body_crc};
    const std::uint64_t total = source.stored->size();
    const std::uint64_t take = std::min<std::uint64_t>(size, total - std::min(offset, total));
    if (take == 0) co_return std::string();
    Result<void> good{};
    if (offset == 0 && take < total) good = co_await verify(source);
    Result<std::string> octets = fail(Errc::corrupt, {});
    if (good) octets = co_await read_octets(source, offset, take);
    if (good && octets && take == total) {
      const std::string_view all = *octets;
      const std::size_t in_segment = source.place.content_size;
      const bool fits = crc32c(all.substr(0, in_segment)) == source.place.content_crc &&
                        (!source.body_in_file || crc32c(all.substr(in_segment)) == source.body_crc);
      if (!fits) good = std::unexpected(content_is_bad(*source.stored));
    }
    if (good && octets) co_return octets;
    // It may have been moved while we looked for it in its old place.
    const Kept* now = find(id);
    if (now != nullptr && !(now->place == source.place)) continue;
    if (!good) co_return std::unexpected(std::move(good.error()));
    co_return octets;
  }
}

// Header block and body as one: the journal's part, then the file's.
Task<Result<std::string>> JournalSpool::Core::read_octets(Source source, std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t in_segment = source.place.content_size;
  std::string octets;
  if (offset < in_segment) {
    const std::uint64_t take = std::min(size, in_segment - offset);
    auto part = co_await read_exactly(segment_path(source.place.segment), source.place.content_offset() + offset, take);
    if (!part) co_return part;
    octets = std::move(*part);
  }
  if (octets.size() < size) {
    const std::uint64_t from = offset + octets.size() - in_segment;
    auto part = co_await read_exactly(body_path(source.stored->id), from, size - octets.size());
    if (!part) co_return part;
    if (octets.empty()) {
      octets = std::move(*part);
    } else {
      octets += *part;
    }
  }
  co_return octets;
}

Task<Result<std::string>> JournalSpool::Core::read_exactly(std::string path, std::uint64_t offset, std::uint64_t size) {
  auto opened = co_await files_.get(path);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  const std::shared_ptr<File> file = std::move(*opened);
  std::string octets(size, '\0');
  const auto got = co_await file->read_at(offset, octets);
  if (!got) co_return std::unexpected(got.error());
  if (*got < size) co_return fail(Errc::corrupt, fmt::format("{} is shorter than what it should hold", path));
  co_return octets;
}

Task<Result<void>> JournalSpool::Core::verify(Source source) {
  const std::uint64_t in_segment = source.place.content_size;
  const auto crc = co_await crc_of(source, 0, in_segment);
  if (!crc) co_return std::unexpected(crc.error());
  if (*crc != source.place.content_crc) co_return std::unexpected(content_is_bad(*source.stored));
  if (source.body_in_file) {
    const auto body = co_await crc_of(source, in_segment, source.stored->size());
    if (!body) co_return std::unexpected(body.error());
    if (*body != source.body_crc) co_return std::unexpected(content_is_bad(*source.stored));
  }
  co_return Result<void>{};
}

Task<Result<std::uint32_t>> JournalSpool::Core::crc_of(Source source, std::uint64_t offset, std::uint64_t end) {
  std::uint32_t crc = 0;
  while (offset < end) {
    const std::uint64_t take = std::min<std::uint64_t>(limits::kChunk, end - offset);
    const auto octets = co_await read_octets(source, offset, take);
    if (!octets) co_return std::unexpected(octets.error());
    crc = crc32c(*octets, crc);
    offset += take;
  }
  co_return crc;
}

}  // namespace postproof::queue
