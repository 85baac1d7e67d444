#include "mta/queue/journal_spool.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>

#include "mta/base/check.h"
#include "mta/env/hop.h"
#include "mta/queue/journal_core.h"
#include "mta/queue/journal_segment.h"

namespace postproof::queue {

using journal::Draft;
using journal::Kept;
using journal::RecordType;
using journal::Recovered;

namespace {

// Sequence numbers that each start reserves in the first segment that it writes.
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

Task<Result<std::unique_ptr<DiskLock>>> lock_spool(Env& env, std::string directory) {
  auto locked = co_await env.disk.lock(directory + "/lock");
  if (!locked && locked.error().code == Errc::in_use) {
    co_return fail(Errc::in_use, fmt::format("spool {} is in use by another process", directory));
  }
  co_return locked;
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
  auto locked = co_await lock_spool(env_, settings_.directory);
  if (!locked) co_return std::unexpected(std::move(locked.error()));
  lock_ = std::move(*locked);
  co_return Result<void>{};
}

Task<Result<void>> JournalSpool::Core::adopt_recovered(Recovered found) {
  for (const std::string& note : found.notes) env_.events.emit(event::Service{"recovered", note});
  for (const std::string& trouble : found.trouble) env_.events.emit(event::Service{"trouble", trouble});
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
  next_sequence_ = found.mark;
  mark_ = found.mark + kIdsAtStart;

  journal::WriterSettings writing;
  writing.directory = journal_directory_;
  writing.segment_size = settings_.segment_size;
  writing.sync_delay_max = settings_.sync_delay_max;
  writing.spool = found.spool != 0 ? found.spool : env_.entropy.stream("queue.spool")->next() | 1;  // never 0
  writing.next_number = found.next_number;
  writing.mark = mark_;
  writing.cuts = std::move(found.cuts);
  writer_ =
      std::make_unique<journal::JournalWriter>(env_, files_, segments_, std::move(writing), [this] { clean_soon(); });
  cleaning_ = true;  // not before the damaged segments are out of the way
  auto done = co_await writer_->start();
  for (std::size_t i = 0; done && i < found.leftovers.size(); ++i) {
    done = co_await env_.disk.unlink(segment_path(found.leftovers[i]));
  }
  for (std::size_t i = 0; done && i < found.bad.size(); ++i) {
    done = co_await keep_from_bad(std::move(found.bad[i]));
  }
  if (done) done = co_await tidy_bodies();
  if (!done) co_return fail(fmt::format("spool {}", settings_.directory), std::move(done.error()));
  cleaning_ = false;
  clean_soon();
  co_return done;
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
  auto renamed = co_await env_.disk.rename(path, aside);
  if (renamed) renamed = co_await env_.disk.sync_dir(journal_directory_);
  if (renamed) segments_.erase(number);
  co_return renamed;
}

// Bodies that no message names were never committed, or are done with.
Task<Result<void>> JournalSpool::Core::tidy_bodies() {
  auto names = co_await env_.disk.list(bodies_directory_);
  if (!names) co_return std::unexpected(std::move(names.error()));
  for (const std::string& name : *names) {
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
  const std::string doing = fmt::format("spool {}", settings.directory);
  // Locking would make the file: where no journal is, no spool is.
  auto there = co_await env.disk.list(settings.directory + "/journal");
  if (!there) co_return fail(doing, std::move(there.error()));
  auto lock = co_await lock_spool(env, settings.directory);
  if (!lock) co_return std::unexpected(std::move(lock.error()));
  auto found = co_await journal::recover_journal(env, settings.directory + "/journal", settings.node);
  if (!found) co_return fail(doing, std::move(found.error()));
  std::vector<QueuedMessage> queue;
  for (const auto& [id, kept] : found->messages) queue.push_back(kept.queued());
  co_return queue;
}

}  // namespace postproof::queue
