// Content of messages: read from segments and body files, checked before its first octet is given out, and held
// against that check chunk by chunk.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/crc32c.h"
#include "mta/base/limits.h"
#include "mta/queue/journal_core.h"

namespace postproof::queue {

using journal::Kept;

namespace {

Error content_is_bad(const StoredMessage& message) {
  return Error{Errc::corrupt,
               fmt::format("the content of message {} was damaged in our storage", message.id.to_string())};
}

}  // namespace

std::string JournalSpool::Core::segment_path(std::uint64_t number) const {
  return journal_directory_ + "/" + journal::segment_name(number);
}

Task<Result<std::string>> JournalSpool::Core::read(MessageId id, std::uint64_t offset, std::size_t size) {
  bool seen_bad = false;
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
      if (!fits) good = fail(Errc::corrupt, "it does not check out");
    } else if (good && octets && !is_as_verified(source, offset, *octets)) {
      // What is stored may be whole: the next attempt looks at all of it again.
      good = fail(Errc::io, fmt::format("message {} reads otherwise than before", id.to_string()));
    }
    if (good && octets) co_return octets;
    // It may have been moved while we looked for it in its old place.
    const Kept* now = find(id);
    if (now != nullptr && !(now->place == source.place)) continue;
    Error error = good ? std::move(octets.error()) : std::move(good.error());
    if (error.code != Errc::corrupt) co_return std::unexpected(std::move(error));
    // A disk may read wrong once what it holds right: a message is not lost for that.
    if (!std::exchange(seen_bad, true)) continue;
    std::string path = source.body_in_file ? body_path(id) : segment_path(source.place.segment);
    co_await lose_content(id, std::move(path), std::move(error.what));
    co_return std::unexpected(content_is_bad(*source.stored));
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
  if (!opened && opened.error().code == Errc::not_found) co_return fail(Errc::corrupt, path + " is gone");
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  const std::shared_ptr<File> file = std::move(*opened);
  std::string octets(size, '\0');
  const auto got = co_await file->read_at(offset, octets);
  if (!got) co_return std::unexpected(got.error());
  if (*got < size) co_return fail(Errc::corrupt, fmt::format("{} is shorter than what it should hold", path));
  co_return octets;
}

Task<Result<void>> JournalSpool::Core::verify(Source source) {
  const std::uint64_t total = source.stored->size();
  const std::uint64_t in_segment = source.place.content_size;
  std::vector<std::uint32_t> chunks;
  std::uint32_t segment_crc = 0, body_crc = 0;
  for (std::uint64_t offset = 0; offset < total; offset += limits::kChunk) {
    const std::uint64_t take = std::min<std::uint64_t>(limits::kChunk, total - offset);
    const auto octets = co_await read_octets(source, offset, take);
    if (!octets) co_return std::unexpected(octets.error());
    chunks.push_back(crc32c(*octets));
    const std::string_view all = *octets;
    const std::uint64_t head = offset < in_segment ? std::min(in_segment - offset, take) : 0;
    segment_crc = crc32c(all.substr(0, head), segment_crc);
    body_crc = crc32c(all.substr(head), body_crc);
  }
  const bool good = segment_crc == source.place.content_crc && (!source.body_in_file || body_crc == source.body_crc);
  if (!good) co_return fail(Errc::corrupt, "it does not check out");
  if (find(source.stored->id) != nullptr) verified_[source.stored->id.value] = std::move(chunks);
  co_return Result<void>{};
}

// A disk may give other octets each time that it is read.
bool JournalSpool::Core::is_as_verified(const Source& source, std::uint64_t offset, std::string_view octets) const {
  const std::vector<std::uint32_t>* chunks = verified_.find(source.stored->id.value);
  const std::uint64_t total = source.stored->size();
  const bool whole = offset % limits::kChunk == 0 && octets.size() == std::min<std::uint64_t>(limits::kChunk, total - offset);
  if (chunks == nullptr || !whole) return true;
  return crc32c(octets) == (*chunks)[offset / limits::kChunk];
}

}  // namespace postproof::queue
