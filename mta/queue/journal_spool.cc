#include "mta/queue/journal_spool.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "mta/base/check.h"
#include "mta/env/hop.h"
#include "mta/queue/journal_core.h"
#include "mta/queue/journal_segment.h"

namespace postproof::queue {

using journal::Kept;
using journal::Recovered;

namespace {

// Sequence numbers that a start reserves when it begins a segment.
constexpr std::uint64_t kIdsAtStart = 65536;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Made if it is missing.
Task<Result<void>> ensure_directory(Env& env, std::string path) {
  auto made = co_await env.disk.mkdir(path);
  if (!made && made.error().code == Errc::already_exists) co_return Result<void>{};
  if (made) made = co_await env.disk.sync_dir(parent_of(path));
  co_return made;
}

Error in_use(const std::string& directory) {
  return Error{Errc::in_use, fmt::format("spool {} is in use by another process", directory)};
}

class MessageWriter final : public SpoolWriter {
 public:
  MessageWriter(std::shared_ptr<JournalSpool::Core> core, MessageId id)
      : core_(std::move(core)), executor_(core_->env().executor), id_(id), body_(core_->env(), core_->body_path(id)) {}

  // From any thread: the file is closed and removed on the spool's.
  ~MessageWriter() override {
    if (!body_.in_file()) return;
    boost::asio::post(executor_, [core = std::move(core_), id = id_, file = body_.take_file()]() mutable {
      core->abandon_body(id, std::move(file));
    });
  }

  MessageId id() const override { return id_; }

  Task<Result<void>> write(std::string chunk) override {
    if (trouble_) co_return std::unexpected(*trouble_);
    if (body_.fits(chunk.size())) {
      body_.keep(std::move(chunk));
      co_return Result<void>{};
    }
    auto written = co_await hop(executor_, body_.write(std::move(chunk)));
    if (!written) trouble_ = written.error();
    co_return written;
  }

  Task<Result<std::shared_ptr<const StoredMessage>>> commit(Envelope envelope, std::string header,
                                                            WallTime arrived) override {
    if (trouble_) co_return std::unexpected(*trouble_);
    StoredMessage message;
    message.id = id_;
    message.envelope = std::move(envelope);
    message.arrived = arrived;
    message.header_size = header.size();
    co_return co_await hop(executor_, core_->commit(std::move(message), std::move(header), body_));
  }

 private:
  std::shared_ptr<JournalSpool::Core> core_;
  Executor executor_;
  MessageId id_;
  journal::BodyWriter body_;
  std::optional<Error> trouble_;
};

Task<Result<std::unique_ptr<SpoolWriter>>> begin_message(std::shared_ptr<JournalSpool::Core> core) {
  const auto admitted = co_await core->admit();
  if (!admitted) co_return std::unexpected(admitted.error());
  const auto id = co_await core->new_id();
  if (!id) co_return std::unexpected(id.error());
  std::unique_ptr<SpoolWriter> writer = std::make_unique<MessageWriter>(std::move(core), *id);
  co_return writer;
}

Task<Result<std::optional<QueuedMessage>>> adopt_next(JournalSpool::Core& core) { co_return core.adopt(); }

}  // namespace

// Opening, in steps.

Task<Result<void>> JournalSpool::Core::open() {
  auto done = co_await make_directories();
  if (done) done = co_await take_lock();
  if (!done) co_return done;
  auto found = co_await journal::recover_journal(env_, journal_directory_, settings_.node);
  if (!found) co_return fail(fmt::format("spool {}", settings_.directory), std::move(found.error()));
  co_return co_await adopt_recovered(std::move(*found));
}

Task<Result<void>> JournalSpool::Core::make_directories() {
  auto made = co_await ensure_directory(env_, settings_.directory);
  if (made) made = co_await ensure_directory(env_, journal_directory_);
  if (made) made = co_await ensure_directory(env_, bodies_directory_);
  // A process that was killed may have made them and come no further.
  if (made) made = co_await env_.disk.sync_dir(settings_.directory);
  if (!made) co_return fail(fmt::format("spool {}", settings_.directory), std::move(made.error()));
  co_return made;
}

Task<Result<void>> JournalSpool::Core::take_lock() {
  auto locked = co_await env_.disk.lock(settings_.directory + "/lock");
  if (!locked && locked.error().code == Errc::in_use) co_return std::unexpected(in_use(settings_.directory));
  if (!locked) co_return fail(fmt::format("spool {}", settings_.directory), std::move(locked.error()));
  lock_ = std::move(*locked);
  co_return Result<void>{};
}

Task<Result<void>> JournalSpool::Core::adopt_recovered(Recovered found) {
  for (const std::string& note : found.notes) env_.events.emit(event::Service{"recovered", note});
  for (const std::string& trouble : found.trouble) env_.events.emit(event::Service{"trouble", trouble});
  const auto bodies = co_await env_.disk.list(bodies_directory_);
  if (!bodies) co_return fail(fmt::format("spool {}", settings_.directory), bodies.error());
  for (const std::string& name : *bodies) {
    // The record that named it may be lost: its number is not given out again.
    const auto id = MessageId::parse(name);
    if (id && id->node() == settings_.node) found.mark = std::max(found.mark, id->sequence() + 1);
  }
  adopt_messages(found);
  const bool damaged = !found.bad.empty() || found.set_aside_before;
  auto done = co_await remove_leftovers(std::move(found.leftovers));
  if (done) done = co_await start_writer(found);
  if (done) done = co_await set_bad_aside();
  if (done) done = co_await check_bodies(*bodies);
  if (done && !damaged) done = co_await tidy_bodies(*bodies);
  if (!done) co_return fail(fmt::format("spool {}", settings_.directory), std::move(done.error()));
  clean_soon();
  co_return done;
}

void JournalSpool::Core::adopt_messages(Recovered& found) {
  if (!found.messages.empty()) {
    const std::string what =
        fmt::format("{} message{} in the queue", found.messages.size(), found.messages.size() == 1 ? "" : "s");
    env_.events.emit(event::Service{"recovered", what});
  }
  for (auto& [id, kept] : found.messages) {
    recovered_.push_back(id);
    messages_[id.value] = std::move(kept);
  }
  segments_ = std::move(found.segments);
}

// Before anything newer comes into use: a blank segment that is older than one in use would count as damage.
// They may also be what fills the disk.
Task<Result<void>> JournalSpool::Core::remove_leftovers(std::vector<std::uint64_t> numbers) {
  if (numbers.empty()) co_return Result<void>{};
  for (const std::uint64_t number : numbers) {
    auto removed = co_await env_.disk.unlink(segment_path(number));
    if (!removed) co_return removed;
  }
  co_return co_await env_.disk.sync_dir(journal_directory_);
}

// What recovery has read may not have been on the disk yet.
Task<Result<void>> JournalSpool::Core::sync_segment(std::uint64_t number) {
  auto opened = co_await env_.disk.open(segment_path(number), OpenMode::read_write);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  const std::unique_ptr<File> file = std::move(*opened);
  co_return co_await file->sync();
}

Task<Result<void>> JournalSpool::Core::start_writer(Recovered& found) {
  next_sequence_ = found.mark;
  mark_ = found.open ? found.mark : found.mark + kIdsAtStart;
  cuts_ = std::move(found.cuts);
  bad_ = std::move(found.bad);
  journal::WriterSettings writing;
  writing.directory = journal_directory_;
  writing.segment_size = settings_.segment_size;
  writing.sync_delay_max = settings_.sync_delay_max;
  writing.spool = found.spool != 0 ? found.spool : env_.entropy.stream("queue.spool")->next() | 1;  // never 0
  writing.next_number = found.next_number;
  writing.mark = mark_;
  if (!found.open) writing.cuts = cuts_;
  writing.reserve = found.reserve;
  writing.open = std::move(found.open);
  if (!writing.open && found.newest != 0) {
    auto synced = co_await sync_segment(found.newest);
    if (!synced) co_return synced;
  }
  writer_ =
      std::make_unique<journal::JournalWriter>(env_, files_, segments_, std::move(writing), [this] { clean_soon(); });
  co_return co_await writer_->start();
}

// Large bodies that are missing or of another size: their messages' recipients fail at their next attempt.
Task<Result<void>> JournalSpool::Core::check_bodies(const std::vector<std::string>& names) {
  for (const MessageId id : recovered_) {
    const Kept* kept = find(id);
    if (kept == nullptr || !kept->body_in_file || kept->content_lost) continue;
    const std::uint64_t wanted = kept->stored->body_size;
    if (!std::binary_search(names.begin(), names.end(), id.to_string())) {
      co_await lose_content(id, body_path(id), "it is gone");
      continue;
    }
    auto opened = co_await env_.disk.open(body_path(id), OpenMode::read);
    if (!opened && opened.error().code == Errc::invalid) {
      co_await lose_content(id, body_path(id), "it is not a file");
      continue;
    }
    if (!opened) co_return std::unexpected(std::move(opened.error()));
    const std::unique_ptr<File> file = std::move(*opened);
    const auto size = co_await file->size();
    if (!size) co_return std::unexpected(size.error());
    if (*size != wanted) co_await lose_content(id, body_path(id), fmt::format("it has {} octets of {}", *size, wanted));
  }
  co_return Result<void>{};
}

// Bodies that no message names were never committed, or are done with.
Task<Result<void>> JournalSpool::Core::tidy_bodies(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto id = MessageId::parse(name);
    if (!id) continue;  // not ours
    const Kept* kept = find(*id);
    if (kept != nullptr && kept->body_in_file) continue;
    auto removed = co_await env_.disk.unlink(body_path(*id));
    if (!removed) co_return removed;
  }
  co_return Result<void>{};
}

// The calls of the interface.

JournalSpool::JournalSpool(std::shared_ptr<Core> core) : core_(std::move(core)) {}

JournalSpool::~JournalSpool() = default;

Task<Result<std::unique_ptr<JournalSpool>>> JournalSpool::open(Env& env, SpoolSettings settings) {
  auto core = std::make_shared<Core>(env, std::move(settings));
  auto opened = co_await core->open();
  if (!opened) {
    co_await core->close();
    co_return std::unexpected(std::move(opened.error()));
  }
  co_return std::unique_ptr<JournalSpool>(new JournalSpool(std::move(core)));
}

Task<Result<std::unique_ptr<SpoolWriter>>> JournalSpool::begin() {
  return hop(core_->env().executor, begin_message(core_));
}

Task<Result<std::shared_ptr<const StoredMessage>>> JournalSpool::record(MessageId id,
                                                                        std::vector<ProgressUpdate> updates,
                                                                        std::optional<OwnMessage> bounce,
                                                                        Durability durability) {
  return hop(core_->env().executor, core_->record(id, std::move(updates), std::move(bounce), durability));
}

Task<Result<std::string>> JournalSpool::read(MessageId id, std::uint64_t offset, std::size_t size) {
  return hop(core_->env().executor, core_->read(id, offset, size));
}

Task<Result<std::optional<QueuedMessage>>> JournalSpool::adopt() {
  return hop(core_->env().executor, adopt_next(*core_));
}

Task<Result<std::uint64_t>> JournalSpool::free_bytes() { return hop(core_->env().executor, core_->free_bytes()); }

Task<void> JournalSpool::close() { return hop(core_->env().executor, core_->close()); }

bool JournalSpool::idle() const { return core_->idle(); }

Task<Result<std::vector<QueuedMessage>>> read_queue(Env& env, SpoolSettings settings) {
  const std::string lock = settings.directory + "/lock";
  auto locked = co_await env.disk.is_locked(lock);
  if (locked && *locked) co_return std::unexpected(in_use(settings.directory));
  auto found = co_await journal::recover_journal(env, settings.directory + "/journal", settings.node);
  // What was read while a process began to change it is worth nothing, whatever it was.
  if (locked) locked = co_await env.disk.is_locked(lock);
  if (locked && *locked) co_return std::unexpected(in_use(settings.directory));
  const std::string doing = fmt::format("spool {}", settings.directory);
  if (!locked) co_return fail(doing, std::move(locked.error()));
  if (!found) co_return fail(doing, std::move(found.error()));
  std::vector<QueuedMessage> queue;
  for (const auto& [id, kept] : found->messages) queue.push_back(kept.queued());
  co_return queue;
}

}  // namespace postproof::queue
