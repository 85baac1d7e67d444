// Cleaning: the journal's oldest segment goes when nothing in it lives any more, and when too much of the
// journal is dead, what lives in the oldest segment is moved to the head first.
//
// Only the oldest ever goes, and one removal is durable before the next is begun: a record that says that a
// message is gone must not disappear while an older segment still says that it is there.
#include <fmt/format.h>

#include "mta/base/crc32c.h"
#include "mta/queue/journal_core.h"
#include "mta/queue/journal_segment.h"

namespace postproof::queue {

using journal::Draft;
using journal::Entry;
using journal::Kept;
using journal::Phase;
using journal::Place;
using journal::RecordType;

namespace {

// Segments that may be dead before anything is moved.
constexpr std::uint64_t kSlackSegments = 4;
// Messages that are moved at once: they share a write and a sync.
constexpr std::size_t kMovedAtOnce = 32;

}  // namespace

void JournalSpool::Core::clean_soon() {
  if (cleaning_ || closing_ || segments_.size() < 2) return;
  if (!segments_.begin()->second.dead() && !over_budget()) return;
  cleaning_ = true;
  tasks_.spawn(clean());
}

bool JournalSpool::Core::over_budget() const {
  std::uint64_t all = 0, alive = 0;
  for (const auto& [number, use] : segments_) {
    all += use.size;
    alive += use.octets;
  }
  return all > 2 * alive + kSlackSegments * settings_.segment_size;
}

Task<void> JournalSpool::Core::clean() {
  Result<void> done{};
  // The newest segment is written to, or was the last to be; it also holds the mark of ids.
  while (done && !closing_ && segments_.size() > 1) {
    const std::uint64_t oldest = segments_.begin()->first;
    if (oldest == writer_->current()) break;
    if (!segments_.begin()->second.dead()) {
      if (!over_budget()) break;
      done = co_await move_messages(oldest);
      if (done && !segments_[oldest].dead()) break;  // something could not be moved now
    }
    if (done) done = co_await remove_segment(oldest);
  }
  cleaning_ = false;
  if (!done && done.error().code != Errc::closed) {
    const std::string what = "the journal could not be cleaned: " + done.error().what;
    env_.events.emit(event::Service{"trouble", what});
  }
}

Task<Result<void>> JournalSpool::Core::remove_segment(std::uint64_t number) {
  files_.drop(segment_path(number));
  auto removed = co_await env_.disk.unlink(segment_path(number));
  if (!removed && removed.error().code != Errc::not_found) co_return removed;
  removed = co_await env_.disk.sync_dir(journal_directory_);
  if (removed) segments_.erase(number);
  co_return removed;
}

// Everything that lives in the segment, to the journal's head.
Task<Result<void>> JournalSpool::Core::move_messages(std::uint64_t number) {
  auto opened = co_await files_.get(segment_path(number));
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  const std::shared_ptr<File> file = std::move(*opened);
  auto contents = co_await journal::load_segment(*file);
  if (!contents) co_return std::unexpected(std::move(contents.error()));
  std::vector<MessageId> alive;
  std::vector<Entry> unknown;
  for (const Entry& entry : contents->entries) {
    if (entry.type > static_cast<std::uint16_t>(RecordType::index)) unknown.push_back(entry);
    const Kept* kept = find(entry.id);
    if (kept != nullptr && kept->place.segment == number && kept->place.offset == entry.offset)
      alive.push_back(entry.id);
  }
  for (std::size_t next = 0; next < alive.size();) {
    TaskGroup group(env_.executor);
    std::optional<Error> trouble;
    for (std::size_t i = 0; i < kMovedAtOnce && next < alive.size(); ++i) {
      group.spawn(move_one(alive[next++], number, trouble));
    }
    co_await group.join();
    if (trouble) co_return std::unexpected(std::move(*trouble));
  }
  co_return co_await move_unknown(number, std::move(unknown));
}

Task<void> JournalSpool::Core::move_one(MessageId id, std::uint64_t from, std::optional<Error>& trouble) {
  auto moved = co_await move_message(id, from);
  if (!moved) trouble = std::move(moved.error());
}

Task<Result<void>> JournalSpool::Core::move_message(MessageId id, std::uint64_t from) {
  const Kept* kept = find(id);
  if (kept == nullptr || kept->place.segment != from) co_return Result<void>{};
  const Place place = kept->place;
  bool lost = kept->content_lost;
  std::string content;
  if (!lost) {
    Result<std::string> octets = fail(Errc::corrupt, {});
    lost = true;
    for (int look = 0; look < 2 && lost; ++look) {  // a disk may read wrong once what it holds right
      octets = co_await read_exactly(segment_path(from), place.content_offset(), place.content_size);
      if (!octets && octets.error().code != Errc::corrupt) co_return std::unexpected(std::move(octets.error()));
      lost = !octets || crc32c(*octets) != place.content_crc;
    }
    if (lost) {
      // Its recipients stay in the queue, so that its sender is told.
      std::string why = octets ? std::string("it does not check out") : octets.error().what;
      co_await lose_content(id, segment_path(from), std::move(why));
    } else {
      content = std::move(*octets);
    }
  }
  // The copy tells the whole state: it may not overtake a record that is on its way and will count.
  for (kept = find(id); kept != nullptr && kept->in_flight > 0; kept = find(id)) {
    Draft barrier(RecordType::bounds, MessageId{}, journal::encode_bounds(journal::Bounds{mark_, {}}));
    auto passed = co_await append_awaited(std::move(barrier));
    if (!passed) co_return passed;
  }
  if (kept == nullptr) co_return Result<void>{};

  journal::MessageAndChanges copy;
  copy.meta = kept->meta();
  copy.meta.content_lost = lost;
  copy.changes = kept->changes();
  Draft draft(RecordType::copy, id, journal::encode_message_and_changes(copy));
  draft.content.push_back(std::move(content));
  draft.on = [this, id, lost](Phase phase, const Place& new_place) {
    if (phase != Phase::durable) return;
    Kept* moved = find(id);
    if (moved == nullptr) return;
    segments_[moved->place.segment].remove(moved->place);
    segments_[new_place.segment].add(new_place);
    moved->place = new_place;
    moved->content_lost = lost;
  };
  co_return co_await append_awaited(std::move(draft));
}

// Records of a newer program's types, as they are.
Task<Result<void>> JournalSpool::Core::move_unknown(std::uint64_t number, std::vector<Entry> entries) {
  for (const Entry& entry : entries) {
    auto octets = co_await read_exactly(segment_path(number), entry.offset + journal::kRecordHeaderSize,
                                        std::uint64_t{entry.meta_size} + entry.content_size);
    if (!octets) co_return std::unexpected(std::move(octets.error()));
    Draft draft(RecordType::bounds, entry.id, octets->substr(0, entry.meta_size));
    draft.type = entry.type;
    draft.last = (entry.flags & journal::kLast) != 0;
    draft.content.push_back(octets->substr(entry.meta_size));
    draft.on = [this, number](Phase phase, const Place& place) {
      if (phase != Phase::durable) return;
      --segments_[number].unknown;
      ++segments_[place.segment].unknown;
    };
    auto moved = co_await append_awaited(std::move(draft));
    if (!moved) co_return moved;
  }
  co_return Result<void>{};
}

}  // namespace postproof::queue
