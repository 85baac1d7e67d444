// What is done about damage: segments are set aside when everything else in them has been said again at the
// journal's head, and the octets of a message that went bad are kept under a second name.
#include <fmt/format.h>

#include "mta/queue/journal_core.h"

namespace postproof::queue {

using journal::Draft;
using journal::Kept;
using journal::RecordType;
using journal::Recovered;

namespace {

// On a full disk damaged segments stay where they are, and are read there; this often it is tried again.
constexpr Duration kRetry = 1min;

}  // namespace

Task<Result<void>> JournalSpool::Core::set_bad_aside() {
  if (bad_.empty()) co_return Result<void>{};
  cleaning_ = true;  // not before the damaged segments are out of the way
  Result<void> done{};
  if (!cuts_.empty()) {
    // One of them may have been the one to tell these.
    Draft draft(RecordType::bounds, MessageId{}, journal::encode_bounds(journal::Bounds{mark_, cuts_}));
    done = co_await append_awaited(std::move(draft));
  }
  while (done && !bad_.empty()) {
    done = co_await keep_from_bad(bad_.back());
    if (done) bad_.pop_back();
  }
  if (!done && done.error().code == Errc::no_space) {
    const std::string what = "damaged segments cannot be set aside yet: " + done.error().what;
    env_.events.emit(event::Service{"trouble", what});
    tasks_.spawn(set_bad_aside_later());
    co_return Result<void>{};
  }
  if (done) cleaning_ = false;
  co_return done;
}

Task<void> JournalSpool::Core::set_bad_aside_later() {
  Result<void> done = fail(Errc::no_space, {});
  while (!bad_.empty()) {
    if (!done && done.error().code != Errc::no_space) break;
    const Woken woken = co_await bad_retry_.wait(env_.clock.mono() + kRetry);
    if (woken == Woken::closed || closing_) co_return;
    done = co_await keep_from_bad(bad_.back());
    if (done) bad_.pop_back();
  }
  if (!done && done.error().code == Errc::closed) co_return;
  if (!done) {
    const std::string what = "damaged segments stay where they are: " + done.error().what;
    env_.events.emit(event::Service{"trouble", what});
    co_return;
  }
  cleaning_ = false;
  clean_soon();
}

// Everything that the segment is needed for is said again at the journal's head, and the file set aside.
Task<Result<void>> JournalSpool::Core::keep_from_bad(Recovered::Bad bad) {
  Result<void> done{};
  for (const MessageId id : bad.touched) {
    const Kept* kept = find(id);
    if (kept != nullptr && kept->place.segment == bad.number) {
      done = co_await move_message(id, bad.number);
    } else if (kept != nullptr) {
      Draft draft(RecordType::progress, id, journal::encode_changes(kept->changes()));
      done = co_await append_awaited(std::move(draft));
    } else {
      Draft draft(RecordType::forget, id, {});
      draft.last = true;
      done = co_await append_awaited(std::move(draft));
    }
    if (!done) co_return done;
  }
  done = co_await move_unknown(bad.number, std::move(bad.unknown));
  if (done) done = co_await set_aside(bad.number);
  co_return done;
}

Task<Result<void>> JournalSpool::Core::set_aside(std::uint64_t number) {
  const std::string path = segment_path(number);
  files_.drop(path);
  const std::string aside = path + std::string(journal::kBadSuffix);
  // If it bears that name already (lose_content), renaming would do nothing.
  auto done = co_await env_.disk.unlink(aside);
  if (done || done.error().code == Errc::not_found) done = co_await env_.disk.rename(path, aside);
  if (done) done = co_await env_.disk.sync_dir(journal_directory_);
  if (done) segments_.erase(number);
  co_return done;
}

Task<void> JournalSpool::Core::lose_content(MessageId id, std::string path, std::string why) {
  Kept* kept = find(id);
  if (kept == nullptr || kept->content_lost) co_return;
  kept->content_lost = true;
  const std::string aside = path + std::string(journal::kBadSuffix);
  auto linked = co_await env_.disk.link(path, aside);
  if (linked) linked = co_await env_.disk.sync_dir(path.substr(0, path.rfind('/')));
  if (!linked && linked.error().code == Errc::closed) co_return;
  const bool there = linked || linked.error().code == Errc::already_exists;
  const std::string what = fmt::format("message {} was damaged in storage, {}: {}{}", id.to_string(), path, why,
                                       there ? "; what is left is kept as " + aside : std::string());
  env_.events.emit(event::Service{"trouble", what});
}

}  // namespace postproof::queue
