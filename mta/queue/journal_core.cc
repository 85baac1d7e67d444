#include "mta/queue/journal_core.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/check.h"

namespace postproof::queue {

using journal::Change;
using journal::Draft;
using journal::Kept;
using journal::MessageMeta;
using journal::Phase;
using journal::Place;
using journal::RecordType;

namespace {

// Sequence numbers that are reserved ahead with one record.
constexpr std::uint64_t kIdBlock = 65536;

std::vector<Change> encode_updates(const std::vector<ProgressUpdate>& updates) {
  std::vector<Change> changes;
  for (const ProgressUpdate& update : updates) {
    changes.push_back(Change{static_cast<std::uint32_t>(update.recipient), journal::encode_progress(update.progress)});
  }
  return changes;
}

Error not_here(MessageId id) {
  return Error{Errc::not_found, fmt::format("message {} is not in the queue", id.to_string())};
}

}  // namespace

JournalSpool::Core::Core(Env& env, SpoolSettings settings)
    : env_(env),
      settings_(std::move(settings)),
      journal_directory_(settings_.directory + "/journal"),
      bodies_directory_(settings_.directory + "/bodies"),
      files_(env),
      bad_retry_(env),
      tasks_(env.executor) {}

JournalSpool::Core::~Core() = default;

Task<void> JournalSpool::Core::close() {
  closing_ = true;
  bad_retry_.notify();
  if (writer_) co_await writer_->close();
  co_await tasks_.join();
}

std::string JournalSpool::Core::body_path(MessageId id) const { return bodies_directory_ + "/" + id.to_string(); }

// A number is given out only when the disk knows that it may have been.
Task<Result<MessageId>> JournalSpool::Core::new_id() {
  while (next_sequence_ >= mark_) {
    const std::uint64_t mark = mark_ + kIdBlock;
    const std::string bounds = journal::encode_bounds(journal::Bounds{mark, {}});
    Draft draft(RecordType::bounds, MessageId{}, bounds);
    const auto reserved = co_await append_awaited(std::move(draft));
    if (!reserved) co_return std::unexpected(reserved.error());
    mark_ = std::max(mark_, mark);
    writer_->set_mark(mark_);
  }
  co_return MessageId::of(settings_.node, next_sequence_++);
}

Task<Result<std::shared_ptr<const StoredMessage>>> JournalSpool::Core::commit(StoredMessage message, std::string header,
                                                                              journal::BodyWriter& body) {
  const MessageId id = message.id;
  MessageMeta meta;
  meta.message = std::move(message);
  auto settled = co_await settle_body(body, meta);
  if (!settled) co_return std::unexpected(std::move(settled.error()));

  Draft draft(RecordType::commit, id, journal::encode_commit(meta));
  draft.content = body.take_pieces();
  draft.content.insert(draft.content.begin(), std::move(header));
  std::shared_ptr<const StoredMessage> stored;
  draft.on = [this, &meta, &stored](Phase phase, const Place& place) {
    if (phase != Phase::durable) return;
    Kept kept = Kept::of(meta, place);
    stored = kept.stored;
    insert(stored->id, std::move(kept));
  };
  journal::Appended appended = co_await writer_->append(std::move(draft), Durability::awaited);
  std::unique_ptr<File> file = body.take_file();
  if (!appended.error) co_return stored;
  // If the record may come back after a crash, its body stays: recovery removes what it does not need.
  if (meta.body_in_file && !appended.doubtful) abandon_body(id, std::move(file));
  co_return std::unexpected(std::move(*appended.error));
}

// A body in a file is durable before the record that names it is written.
Task<Result<void>> JournalSpool::Core::settle_body(journal::BodyWriter& body, MessageMeta& meta) {
  meta.message.body_size = body.size();
  meta.body_in_file = body.in_file();
  if (!body.in_file()) co_return Result<void>{};
  meta.body_crc = body.crc();
  auto synced = co_await body.sync();
  if (synced) synced = co_await env_.disk.sync_dir(bodies_directory_);
  co_return synced;
}

void JournalSpool::Core::insert(MessageId id, Kept kept) {
  segments_[kept.place.segment].add(kept.place);
  messages_[id.value] = std::move(kept);
}

void JournalSpool::Core::abandon_body(MessageId id, std::unique_ptr<File> file) {
  // Closing leaves it to recovery.
  if (!closing_) tasks_.spawn(remove_body(id, std::move(file)));
}

Task<void> JournalSpool::Core::remove_body(MessageId id, std::unique_ptr<File> file) {
  file.reset();
  files_.drop(body_path(id));
  const auto removed = co_await env_.disk.unlink(body_path(id));
  if (!removed && removed.error().code != Errc::closed) {
    const std::string what = "the body of a message that is gone stays until the next start: " + removed.error().what;
    env_.events.emit(event::Service{"trouble", what});
  }
}

Task<Result<std::shared_ptr<const StoredMessage>>> JournalSpool::Core::record(MessageId id,
                                                                              std::vector<ProgressUpdate> updates,
                                                                              std::optional<OwnMessage> bounce,
                                                                              Durability durability) {
  std::vector<Change> changes = encode_updates(updates);
  Draft draft(RecordType::progress, id, journal::encode_changes(changes));
  journal::MessageAndChanges report;
  std::unique_ptr<File> body_file;
  if (bounce) {
    report.about = id;
    report.changes = changes;
    auto made = co_await make_report(std::move(*bounce), report, body_file);
    if (!made) co_return std::unexpected(std::move(made.error()));
    draft = std::move(*made);
    durability = Durability::awaited;
  }
  const MessageId own = report.meta.message.id;

  Kept* kept = find(id);
  if (kept == nullptr) {
    if (report.meta.body_in_file) abandon_body(own, std::move(body_file));
    co_return std::unexpected(not_here(id));
  }
  for (const Change& change : changes)
    PP_CHECK(change.recipient < kept->progress.size(), "progress of a recipient that is none");
  draft.last = ends_with(*kept, changes);
  std::shared_ptr<const StoredMessage> stored;
  // What is awaited counts when it is durable; what is not, as soon as it is written. Nothing is let go
  // before it is durable that the message is gone. The frame may be gone by then: values only, but for
  // what is only there while the caller waits.
  const Phase counts = durability == Durability::awaited ? Phase::durable : Phase::written;
  journal::MessageAndChanges* const with = bounce ? &report : nullptr;
  auto* const own_stored = &stored;
  draft.on = [this, id, counts, with, own_stored, changes = std::move(changes), gone = std::optional<Kept>()](
                 Phase phase, const Place& place) mutable {
    if (phase == counts) {
      gone = apply(id, changes);
      if (with != nullptr) {
        Kept report_kept = Kept::of(with->meta, place);
        *own_stored = report_kept.stored;
        insert(with->meta.message.id, std::move(report_kept));
      }
    }
    if (phase == Phase::durable && gone) release(*gone);
  };
  ++kept->in_flight;
  journal::Appended appended = co_await writer_->append(std::move(draft), durability);
  if (Kept* still = find(id)) --still->in_flight;
  if (appended.error) {
    if (report.meta.body_in_file && !appended.doubtful) abandon_body(own, std::move(body_file));
    co_return std::unexpected(std::move(*appended.error));
  }
  co_return stored;
}

// The record of a bounce and of the changes that it is about. A large bounce's body is durable then.
Task<Result<Draft>> JournalSpool::Core::make_report(OwnMessage bounce, journal::MessageAndChanges& report,
                                                    std::unique_ptr<File>& body_file) {
  auto own = co_await new_id();
  if (!own) co_return std::unexpected(std::move(own.error()));
  StoredMessage& message = report.meta.message;
  message.id = *own;
  message.envelope = std::move(bounce.envelope);
  message.arrived = bounce.arrived;
  message.bounce_of = bounce.bounce_of;

  journal::BodyWriter body(env_, body_path(*own));
  Result<void> done{};
  if (body.fits(bounce.content.size())) {
    body.keep(std::move(bounce.content));
  } else {
    done = co_await body.write(std::move(bounce.content));
  }
  if (done) done = co_await settle_body(body, report.meta);
  body_file = body.take_file();
  if (!done) {
    if (body_file) abandon_body(*own, std::move(body_file));
    co_return std::unexpected(std::move(done.error()));
  }
  Draft draft(RecordType::report, *own, journal::encode_message_and_changes(report));
  draft.about = report.about;
  draft.content = body.take_pieces();
  co_return draft;
}

// The message, when these changes leave it without a recipient that waits.
std::optional<Kept> JournalSpool::Core::apply(MessageId id, const std::vector<Change>& changes) {
  Kept* kept = find(id);
  if (kept == nullptr) return std::nullopt;
  kept->apply(changes);
  if (kept->pending > 0) return std::nullopt;
  std::optional<Kept> gone = std::move(*kept);
  messages_.erase(id.value);
  return gone;
}

bool JournalSpool::Core::ends_with(const Kept& kept, const std::vector<Change>& changes) const {
  std::vector<bool> pending;
  for (const std::string& progress : kept.progress) pending.push_back(Kept::is_pending(progress));
  for (const Change& change : changes) pending[change.recipient] = Kept::is_pending(change.progress);
  return std::none_of(pending.begin(), pending.end(), [](bool waits) { return waits; });
}

void JournalSpool::Core::release(const Kept& gone) {
  segments_[gone.place.segment].remove(gone.place);
  verified_.erase(gone.stored->id.value);
  if (gone.body_in_file) abandon_body(gone.stored->id, nullptr);
  clean_soon();
}

Task<Result<void>> JournalSpool::Core::append_awaited(Draft draft) {
  journal::Appended appended = co_await writer_->append(std::move(draft), Durability::awaited);
  if (appended.error) co_return std::unexpected(std::move(*appended.error));
  co_return Result<void>{};
}

std::optional<QueuedMessage> JournalSpool::Core::adopt() {
  while (!recovered_.empty()) {
    const MessageId id = recovered_.front();
    recovered_.pop_front();
    if (const Kept* kept = find(id)) return kept->queued();
  }
  return std::nullopt;
}

Task<Result<std::uint64_t>> JournalSpool::Core::free_bytes() {
  co_return co_await env_.disk.free_bytes(settings_.directory);
}

}  // namespace postproof::queue
