#include "mta/queue/journal_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mta/base/check.h"
#include "mta/base/crc32c.h"

namespace postproof::queue::journal {

namespace asio = boost::asio;

namespace {

// One write is not larger than this, one record's size apart.
constexpr std::size_t kGroupMax = 4 * 1024 * 1024;
// While the disk refuses, what was answered and could not be synced is tried again so often.
constexpr Duration kTroubleRetry = 10s;

std::uint64_t footprint_of(const Draft& draft) { return footprint(draft.meta.size(), draft.content_size()); }

}  // namespace

std::uint64_t Draft::content_size() const {
  std::uint64_t size = 0;
  for (const std::string& piece : content) size += piece.size();
  return size;
}

JournalWriter::JournalWriter(Env& env, FileCache& files, SegmentTable& segments, WriterSettings settings,
                             std::function<void()> on_sealed)
    : env_(env),
      files_(files),
      segments_(segments),
      settings_(std::move(settings)),
      on_sealed_(std::move(on_sealed)),
      random_(env.entropy.stream("queue.journal")),
      tasks_(env.executor),
      wakeup_(env),
      prepared_wakeup_(env) {}

JournalWriter::~JournalWriter() = default;

Task<Result<void>> JournalWriter::start() {
  Result<void> begun{};
  if (settings_.reserve) begun = co_await adopt_reserve();
  if (begun && settings_.open) begun = co_await go_on();
  if (begun && !current_) begun = co_await begin_segment(0);
  if (!begun && begun.error().code != Errc::no_space) {
    ended_ = true;
    co_return begun;
  }
  if (begun) prepare_soon();
  while (preparing_) {
    const Woken woken = co_await prepared_wakeup_.wait();
    if (woken == Woken::closed) break;
  }
  sync_due_ = env_.clock.mono() + kTroubleRetry;
  tasks_.spawn(run());
  co_return Result<void>{};
}

Task<Result<void>> JournalWriter::admit() {
  if (!no_reserve_ || closing_) co_return Result<void>{};
  const auto free = co_await env_.disk.free_bytes(settings_.directory);
  const bool room = !free || *free >= settings_.segment_size;
  if (room && no_reserve_ && !preparing_) {
    preparing_ = true;
    co_await prepare_next();
  }
  if (no_reserve_) co_return std::unexpected(*no_reserve_);
  co_return Result<void>{};
}

Task<Appended> JournalWriter::append(Draft draft, Durability durability) {
  Appended answer;
  if (ended_ || closing_) {
    answer.error = Error{Errc::closed, "the spool is closed"};
    co_return answer;
  }
  if (footprint_of(draft) + kSegmentHeaderSize + index_footprint(1) > kSegmentSizeMax / 2) {
    answer.error = Error{Errc::too_large, "a record larger than the journal takes"};
    co_return answer;
  }
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
      [&](auto handler) {
        std::move_only_function<void()> resume = [handler = std::move(handler)]() mutable { std::move(handler)(); };
        pending_.push_back(Pending{std::move(draft), durability, &answer, std::move(resume), Place{}});
        wakeup_.notify();
      },
      asio::use_awaitable);
  co_return answer;
}

Task<void> JournalWriter::close() {
  closing_ = true;
  wakeup_.notify();
  co_await tasks_.join();
  ended_ = true;
}

Task<void> JournalWriter::run() {
  for (;;) {
    if (!pending_.empty()) {
      working_ = true;
      co_await write_group();
      working_ = false;
      continue;
    }
    const bool due = owes() && env_.clock.mono() >= sync_due_;
    if (due || (closing_ && !unsynced_.empty() && current_)) {
      working_ = true;
      // A failure has been told, and what it concerns is kept for a later segment.
      const bool synced = co_await sync_current();
      working_ = false;
      if (!synced) sync_due_ = env_.clock.mono() + kTroubleRetry;
      if (!synced && closing_) break;
      continue;
    }
    if (closing_) break;
    const Woken woken = co_await wakeup_.wait(owes() ? sync_due_ : kNever);
    if (woken == Woken::closed) break;
  }
  ended_ = true;
  if (!unsynced_.empty()) {
    const std::string what =
        fmt::format("{} changes of the queue could not be written, and are forgotten", unsynced_.size());
    env_.events.emit(event::Service{"trouble", what});
  }
  for (Pending& pending : pending_) answer(pending, Error{Errc::closed, "the spool is closed"}, false);
  pending_.clear();
}

// One round: as much of what waits as fits into the segment.
Task<void> JournalWriter::write_group() {
  if (!current_) {
    const auto begun = co_await begin_segment(footprint_of(pending_.front().draft));
    if (!begun) {
      std::vector<Pending> all(std::make_move_iterator(pending_.begin()), std::make_move_iterator(pending_.end()));
      pending_.clear();
      keep_what_was_soon(all, begun.error());
      sync_due_ = env_.clock.mono() + kTroubleRetry;
      // Nothing of these was ever written.
      for (Pending& pending : all) answer(pending, begun.error(), false);
      co_return;
    }
  }
  std::vector<Pending> group;
  buffer_.clear();
  while (!pending_.empty() && buffer_.size() < kGroupMax && has_room(pending_.front().draft)) {
    group.push_back(std::move(pending_.front()));
    pending_.pop_front();
    add_to_buffer(*current_, group.back());
  }
  if (group.empty()) {
    co_await seal();
    co_return;
  }
  const auto written = co_await current_->file->write_at(current_->end, buffer_);
  if (!written) {
    co_await fail_group(written.error(), std::move(group));
    co_return;
  }
  current_->end += buffer_.size();
  tell(group, Phase::written);
  if (unsynced_.empty()) sync_due_ = env_.clock.mono() + settings_.sync_delay_max;
  for (Pending& pending : group) {
    if (pending.durability == Durability::soon) answer(pending, std::nullopt, false);
  }
  const bool sync_now = env_.clock.mono() >= sync_due_ ||
                        std::any_of(group.begin(), group.end(), [](const Pending& p) { return p.answer != nullptr; });
  std::move(group.begin(), group.end(), std::back_inserter(unsynced_));
  if (sync_now) {
    const bool synced = co_await sync_current();
    if (!synced) sync_due_ = env_.clock.mono() + kTroubleRetry;
  }
}

// The segment is full: its index ends it. Everything in it is synced before the next one gets a record, so
// that only the newest segment with records can have a torn tail.
Task<void> JournalWriter::seal() {
  Segment& segment = *current_;
  const std::string meta = encode_index(segment.entries);
  RecordHeader header;
  header.type = static_cast<std::uint16_t>(RecordType::index);
  header.meta_size = static_cast<std::uint32_t>(meta.size());
  header.synced = static_cast<std::uint32_t>(segment.synced);
  header.meta_crc = crc32c(meta);
  buffer_ = encode(header, segment.salt) + meta;
  buffer_.resize(segment.header.size - segment.end - kTailSize);
  buffer_ += encode_trailer(static_cast<std::uint32_t>(segment.end), segment.salt);
  const auto written = co_await segment.file->write_at(segment.end, buffer_);
  if (!written) {
    co_await fail_group(written.error(), {});
    co_return;
  }
  const bool synced = co_await sync_current();
  if (!synced) co_return;
  current_.reset();
  on_sealed_();
}

// Everything written becomes durable, and whoever waits for that is answered. False: the segment had to be
// given up, and whoever waited has the error.
Task<bool> JournalWriter::sync_current() {
  if (!current_) {
    const auto begun = co_await begin_segment(0);
    co_return begun.has_value();
  }
  const std::uint64_t end = current_->end;
  const auto synced = co_await current_->file->sync();
  if (!synced) {
    std::vector<Pending> group;
    std::vector<Pending> keep;
    for (Pending& pending : unsynced_) (pending.answer != nullptr ? group : keep).push_back(std::move(pending));
    unsynced_ = std::move(keep);
    co_await fail_group(synced.error(), std::move(group));
    co_return false;
  }
  current_->synced = end;
  std::vector<Pending> done = std::exchange(unsynced_, {});
  tell(done, Phase::durable);
  for (Pending& pending : done) answer(pending, std::nullopt, false);
  co_return true;
}

// Where the journal ended in an earlier life. What stands behind that end is void: no record there may follow
// on what is written now.
Task<Result<void>> JournalWriter::go_on() {
  const OpenSegment from = std::move(*settings_.open);
  settings_.open.reset();
  auto opened = co_await open_segment(from.header);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  std::unique_ptr<Segment> segment = std::move(*opened);
  Result<void> done{};
  if (!from.blank_end) {
    done = co_await segment->file->allocate(from.end, from.header.size - kSegmentHeaderSize - from.end);
  }
  // What recovery has read may not have been on the disk yet.
  if (done) done = co_await segment->file->sync();
  if (!done && done.error().code == Errc::no_space) {
    // Overwriting takes room on some file systems: the next segment says where this one ends.
    settings_.cuts.push_back(Cut{from.header.number, from.end});
    co_return Result<void>{};
  }
  if (!done) co_return fail(segment->path, std::move(done.error()));
  segment->end = segment->synced = from.end;
  segment->entries = from.entries;
  files_.put(segment->path, segment->file);
  current_ = std::move(segment);
  co_return done;
}

Task<Result<void>> JournalWriter::adopt_reserve() {
  auto opened = co_await open_segment(*settings_.reserve);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  std::unique_ptr<Segment> segment = std::move(*opened);
  // The life that made it may have ended before this.
  auto done = co_await segment->file->sync();
  if (done) done = co_await env_.disk.sync_dir(settings_.directory);
  if (!done) co_return fail(segment->path, std::move(done.error()));
  prepared_ = std::move(segment);
  co_return done;
}

Task<Result<std::unique_ptr<JournalWriter::Segment>>> JournalWriter::open_segment(const SegmentHeader& header) {
  auto segment = std::make_unique<Segment>();
  segment->header = header;
  segment->salt = salt_of(header);
  segment->path = settings_.directory + "/" + segment_name(header.number);
  segment->end = segment->synced = kSegmentHeaderSize;
  auto opened = co_await env_.disk.open(segment->path, OpenMode::read_write);
  if (!opened) co_return fail("journal", std::move(opened.error()));
  segment->file = std::move(*opened);
  co_return segment;
}

// A new current segment: its first record tells the mark of ids and what is void in segments that were given
// up, and what could not be synced there follows. All is synced before anything else is written.
Task<Result<void>> JournalWriter::begin_segment(std::uint64_t at_least) {
  Bounds bounds{settings_.mark, settings_.cuts};
  bounds.cuts.emplace_back();  // room for one that taking a segment may add
  std::uint64_t needed = at_least + footprint(encode_bounds(bounds).size(), 0);
  for (const Pending& pending : unsynced_) needed += footprint_of(pending.draft);
  needed += kSegmentHeaderSize + index_footprint(unsynced_.size() + 3);

  auto made = co_await take_segment(std::max(settings_.segment_size, needed));
  if (!made) {
    note_trouble(made.error());
    co_return std::unexpected(std::move(made.error()));
  }
  current_ = std::move(*made);
  Segment& segment = *current_;
  segments_[segment.header.number].size = segment.header.size;
  files_.put(segment.path, segment.file);
  buffer_.clear();
  bounds.cuts = settings_.cuts;
  Draft first(RecordType::bounds, MessageId{}, encode_bounds(bounds));
  Pending pending_bounds{std::move(first), Durability::soon, nullptr, {}, Place{}};
  add_to_buffer(segment, pending_bounds);
  for (Pending& pending : unsynced_) add_to_buffer(segment, pending);
  auto stored = co_await segment.file->write_at(segment.end, buffer_);
  if (stored) stored = co_await segment.file->sync();
  if (!stored) {
    note_trouble(stored.error());
    give_up_segment();
    co_return std::unexpected(std::move(stored.error()));
  }
  segment.end += buffer_.size();
  segment.synced = segment.end;
  settings_.cuts.clear();
  std::vector<Pending> done = std::exchange(unsynced_, {});
  tell(done, Phase::durable);
  note_recovery();
  prepare_soon();
  co_return Result<void>{};
}

Task<Result<std::unique_ptr<JournalWriter::Segment>>> JournalWriter::take_segment(std::uint64_t size) {
  while (preparing_) {
    const Woken woken = co_await prepared_wakeup_.wait();
    if (woken == Woken::closed) co_return fail(Errc::closed, "the spool is closed");
  }
  if (prepared_ && prepared_->header.size >= size) co_return std::move(prepared_);
  if (prepared_) {
    // Too small for this one record. It is older than what is made now, and in no use.
    const std::unique_ptr<Segment> small = std::move(prepared_);
    const auto removed = co_await env_.disk.unlink(small->path);
    if (!removed) settings_.cuts.push_back(Cut{small->header.number, kSegmentHeaderSize});
  }
  preparing_ = true;
  auto made = co_await make_segment(size);
  preparing_ = false;
  co_return made;
}

// A file of zeros with a header at both ends, durable, name and all. A number whose making has failed is used
// again, file and all: no blank file is older than a segment in use.
Task<Result<std::unique_ptr<JournalWriter::Segment>>> JournalWriter::make_segment(std::uint64_t size) {
  auto segment = std::make_unique<Segment>();
  segment->header.number = settings_.next_number;
  segment->header.spool = settings_.spool;
  segment->header.epoch = random_->next();
  segment->header.size = size / kAlignment * kAlignment;
  segment->salt = salt_of(segment->header);
  segment->path = settings_.directory + "/" + segment_name(segment->header.number);
  segment->end = segment->synced = kSegmentHeaderSize;
  auto opened = co_await env_.disk.open(segment->path, OpenMode::create_new);
  if (!opened && opened.error().code == Errc::already_exists) {
    opened = co_await env_.disk.open(segment->path, OpenMode::read_write);
  }
  if (!opened) co_return fail("journal", std::move(opened.error()));
  segment->file = std::move(*opened);
  auto done = co_await fill_segment(*segment);
  if (done) {
    ++settings_.next_number;
    co_return segment;
  }
  segment->file.reset();
  static_cast<void>(co_await env_.disk.unlink(segment->path));
  co_return fail("journal", std::move(done.error()));
}

Task<Result<void>> JournalWriter::fill_segment(Segment& segment) {
  const std::string header = encode(segment.header);
  auto done = co_await segment.file->truncate(0);
  if (done) done = co_await segment.file->allocate(0, segment.header.size);
  if (done) done = co_await segment.file->write_at(0, header);
  if (done) done = co_await segment.file->sync();
  if (done) done = co_await segment.file->write_at(segment.header.size - kSegmentHeaderSize, header);
  if (done) done = co_await segment.file->sync();
  if (done) done = co_await env_.disk.sync_dir(settings_.directory);
  co_return done;
}

void JournalWriter::prepare_soon() {
  if (prepared_ || preparing_ || closing_) return;
  preparing_ = true;
  tasks_.spawn(prepare_next());
}

// The reserve: no commit waits for the zeros of the next segment, and a full disk does not stop what is in
// the queue. What fails here fails again, and is told, when the segment is needed.
Task<void> JournalWriter::prepare_next() {
  auto made = co_await make_segment(settings_.segment_size);
  const bool failed_before = no_reserve_.has_value();
  no_reserve_.reset();
  if (made) {
    prepared_ = std::move(*made);
    if (failed_before)
      env_.events.emit(event::Service{"recovered", "the journal has its reserve; mail is taken again"});
  } else if (made.error().code != Errc::closed) {
    no_reserve_ = std::move(made.error());
    const std::string what = "no reserve for the journal, and no mail is taken until there is: " + no_reserve_->what;
    if (!failed_before) env_.events.emit(event::Service{"trouble", what});
  }
  preparing_ = false;
  prepared_wakeup_.notify();
}

// The current segment counts as far as it was synced.
void JournalWriter::give_up_segment() {
  settings_.cuts.push_back(Cut{current_->header.number, current_->synced});
  current_.reset();
}

// `group` was not made durable: a segment that says so is begun, if the disk lets us, before anybody is told.
Task<void> JournalWriter::fail_group(Error error, std::vector<Pending> group) {
  note_trouble(error);
  give_up_segment();
  keep_what_was_soon(group, error);
  const auto begun = co_await begin_segment(0);
  if (!begun) sync_due_ = env_.clock.mono() + kTroubleRetry;
  for (Pending& pending : group) answer(pending, error, !begun);
}

// What nobody awaits is told to nobody when it fails: it is kept, and written when the disk allows.
void JournalWriter::keep_what_was_soon(std::vector<Pending>& group, const Error& error) {
  if (error.code == Errc::closed) return;
  std::vector<Pending> kept;
  std::vector<Pending> others;
  for (Pending& pending : group) (pending.durability == Durability::soon ? kept : others).push_back(std::move(pending));
  group = std::move(others);
  tell(kept, Phase::written);
  for (Pending& pending : kept) answer(pending, std::nullopt, false);
  std::move(kept.begin(), kept.end(), std::back_inserter(unsynced_));
}

void JournalWriter::add_to_buffer(Segment& segment, Pending& pending) {
  const Draft& draft = pending.draft;
  RecordHeader header;
  header.type = draft.type;
  header.flags = draft.last ? kLast : std::uint16_t{0};
  header.meta_size = static_cast<std::uint32_t>(draft.meta.size());
  header.content_size = static_cast<std::uint32_t>(draft.content_size());
  header.synced = static_cast<std::uint32_t>(segment.synced);
  header.id = draft.id;
  header.meta_crc = crc32c(draft.meta);
  for (const std::string& piece : draft.content) header.content_crc = crc32c(piece, header.content_crc);

  const std::uint64_t offset = segment.end + buffer_.size();
  Entry entry;
  entry.type = header.type;
  entry.flags = header.flags;
  entry.id = header.id;
  entry.about = draft.about;
  entry.offset = static_cast<std::uint32_t>(offset);
  entry.meta_size = header.meta_size;
  entry.content_size = header.content_size;
  segment.entries.push_back(entry);
  pending.place = Place{segment.header.number, entry.offset, header.meta_size, header.content_size, header.content_crc};

  buffer_ += encode(header, segment.salt);
  buffer_ += draft.meta;
  for (const std::string& piece : draft.content) buffer_ += piece;
  buffer_.resize(entry.end() - segment.end);
}

bool JournalWriter::has_room(const Draft& draft) const {
  const std::uint64_t used = current_->end + buffer_.size() + footprint_of(draft);
  return used + index_footprint(current_->entries.size() + 1) <= current_->header.size;
}

void JournalWriter::tell(std::vector<Pending>& records, Phase phase) {
  for (Pending& record : records) {
    if (record.draft.on) record.draft.on(phase, record.place);
  }
}

void JournalWriter::answer(Pending& pending, std::optional<Error> error, bool doubtful) {
  if (pending.answer == nullptr) return;
  *pending.answer = Appended{std::move(error), doubtful};
  pending.answer = nullptr;
  asio::post(env_.executor, std::exchange(pending.resume, nullptr));
}

// Told once, until it is over.
void JournalWriter::note_trouble(const Error& error) {
  if (in_trouble_ || error.code == Errc::closed) return;
  in_trouble_ = true;
  env_.events.emit(event::Service{"trouble", error.what});
}

void JournalWriter::note_recovery() {
  if (!in_trouble_) return;
  in_trouble_ = false;
  const std::string what = fmt::format("the journal is written again, in segment {}", segment_name(current()));
  env_.events.emit(event::Service{"recovered", what});
}

}  // namespace postproof::queue::journal
