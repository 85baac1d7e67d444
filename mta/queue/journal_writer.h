// Writes the journal, all of it: one coroutine takes whatever waits, writes it with one call, syncs once,
// and answers everybody (group commit). What comes in meanwhile waits for the next round.
//
// It goes on in the segment that recovery found open. One more is always made ahead, as a reserve: what is in
// the queue can be settled on a disk that has become full. While the reserve cannot be made, no new message
// is taken (admit).
//
// A segment that cannot be written or synced is given up: it counts as far as it had been synced, which
// the next segment's first record says (bounds), and what had been answered but not synced is written again
// there. Whoever awaited it gets the error. While no new segment can be made, each round tries to make one:
// the journal goes on by itself when the disk does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/env/env.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "mta/queue/file_cache.h"
#include "mta/queue/journal_records.h"
#include "mta/queue/journal_recovery.h"
#include "mta/queue/journal_state.h"
#include "mta/queue/spool.h"

namespace postproof::queue::journal {

enum class Phase : std::uint8_t { written, durable };

// A record on its way.
struct Draft {
  Draft(RecordType record_type, MessageId message, std::string record_meta)
      : type(static_cast<std::uint16_t>(record_type)), id(message), meta(std::move(record_meta)) {}

  std::uint16_t type;
  bool last = false;  // kLast
  MessageId id;
  MessageId about;
  std::string meta;
  std::vector<std::string> content;  // in pieces: they are copied once, into the write
  // Told once each, in the order of the records, before anybody is answered; it must not wait. The
  // place counts only for what is awaited: the rest may be written a second time elsewhere.
  std::move_only_function<void(Phase, const Place&)> on;

  std::uint64_t content_size() const;
};

struct Appended {
  std::optional<Error> error;
  // With an error: the record may be on the disk all the same, and come back after a crash.
  bool doubtful = false;
};

struct WriterSettings {
  std::string directory;  // of the segments
  std::uint64_t segment_size = 0;
  Duration sync_delay_max{};
  std::uint64_t spool = 0;
  std::uint64_t next_number = 1;
  std::uint64_t mark = 1;                // of ids, see RecordType::bounds
  std::vector<Cut> cuts;                 // that the next segment has to tell
  std::optional<OpenSegment> open;       // where the journal goes on
  std::optional<SegmentHeader> reserve;  // made ahead by an earlier life
};

class JournalWriter {
 public:
  // Adds its segments to `segments`, and calls `on_sealed` when one has become full.
  JournalWriter(Env& env, FileCache& files, SegmentTable& segments, WriterSettings settings,
                std::function<void()> on_sealed);
  ~JournalWriter();

  // The segment to write to stands and is durable, or, on a full disk, will as soon as there is room: what is
  // awaited fails until then.
  Task<Result<void>> start();
  // A new message may come in. Errors: why the reserve cannot be made.
  Task<Result<void>> admit();
  // Returns when the record is written (soon) or synced (awaited). What is awaited fails with the disk; the
  // rest is kept then, and written when the disk allows.
  Task<Appended> append(Draft draft, Durability durability);
  // All is written and synced as far as the disk allows; later appends yield Errc::closed.
  Task<void> close();

  // The mark that new segments repeat.
  void set_mark(std::uint64_t mark) { settings_.mark = mark; }
  std::uint64_t current() const { return current_ ? current_->header.number : 0; }
  // Nothing waits to be written or synced, but for what the disk does not let us.
  bool idle() const { return pending_.empty() && !working_ && (unsynced_.empty() || !current_); }

 private:
  struct Segment {
    SegmentHeader header;
    std::uint32_t salt = 0;
    std::string path;
    std::shared_ptr<File> file;
    std::uint64_t end = 0;
    std::uint64_t synced = 0;
    std::vector<Entry> entries;
  };
  struct Pending {
    Draft draft;
    Durability durability;
    Appended* answer = nullptr;  // in the caller's frame; null once it was given
    std::move_only_function<void()> resume;
    Place place;
  };

  Task<void> run();
  Task<void> write_group();
  Task<void> seal();
  Task<bool> sync_current();
  Task<Result<void>> begin_segment(std::uint64_t at_least);
  Task<Result<void>> go_on();
  Task<Result<void>> adopt_reserve();
  Task<Result<std::unique_ptr<Segment>>> open_segment(const SegmentHeader& header);
  Task<Result<std::unique_ptr<Segment>>> take_segment(std::uint64_t size);
  Task<Result<std::unique_ptr<Segment>>> make_segment(std::uint64_t size);
  Task<Result<void>> fill_segment(Segment& segment);
  void prepare_soon();
  Task<void> prepare_next();
  void give_up_segment();
  Task<void> fail_group(Error error, std::vector<Pending> group);
  void keep_what_was_soon(std::vector<Pending>& group, const Error& error);

  // Something has to become durable without anybody's waiting for it.
  bool owes() const { return !unsynced_.empty() || (!current_ && in_trouble_); }
  void add_to_buffer(Segment& segment, Pending& pending);
  bool has_room(const Draft& draft) const;
  void tell(std::vector<Pending>& records, Phase phase);
  void answer(Pending& pending, std::optional<Error> error, bool doubtful);
  void note_trouble(const Error& error);
  void note_recovery();

  Env& env_;
  FileCache& files_;
  SegmentTable& segments_;
  WriterSettings settings_;
  std::function<void()> on_sealed_;
  std::unique_ptr<Random> random_;
  TaskGroup tasks_;
  Wakeup wakeup_;
  Wakeup prepared_wakeup_;

  std::unique_ptr<Segment> current_;
  std::unique_ptr<Segment> prepared_;   // the reserve: made ahead, empty
  std::optional<Error> no_reserve_;     // why it could not be made
  bool preparing_ = false;
  std::deque<Pending> pending_;
  std::vector<Pending> unsynced_;  // written and answered, not synced yet
  MonoTime sync_due_{};
  std::string buffer_;  // the write that is being made
  bool working_ = false;
  bool in_trouble_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

}  // namespace postproof::queue::journal
