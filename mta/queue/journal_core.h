// The inside of JournalSpool: its messages, and what keeps them. All of it runs on the spool's executor.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/hash_map.h"
#include "mta/env/env.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "mta/queue/file_cache.h"
#include "mta/queue/journal_body.h"
#include "mta/queue/journal_recovery.h"
#include "mta/queue/journal_spool.h"
#include "mta/queue/journal_state.h"
#include "mta/queue/journal_writer.h"

namespace postproof::queue {

class JournalSpool::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(Env& env, SpoolSettings settings);
  ~Core();

  Env& env() { return env_; }
  Task<Result<void>> open();
  Task<void> close();

  // A new message may come in.
  Task<Result<void>> admit() { return writer_->admit(); }
  Task<Result<MessageId>> new_id();
  std::string body_path(MessageId id) const;
  // What `body` holds of a new message becomes durable and ours.
  Task<Result<std::shared_ptr<const StoredMessage>>> commit(StoredMessage message, std::string header,
                                                            journal::BodyWriter& body);
  // Of a message that was not committed.
  void abandon_body(MessageId id, std::unique_ptr<File> file);

  Task<Result<std::shared_ptr<const StoredMessage>>> record(MessageId id, std::vector<ProgressUpdate> updates,
                                                            std::optional<OwnMessage> bounce, Durability durability);
  Task<Result<std::string>> read(MessageId id, std::uint64_t offset, std::size_t size);
  std::optional<QueuedMessage> adopt();
  Task<Result<std::uint64_t>> free_bytes();
  bool idle() const { return tasks_.size() == 0 && (!writer_ || writer_->idle()); }

 private:
  // Where a message's content stands: a value, so that it holds while the message moves.
  struct Source {
    std::shared_ptr<const StoredMessage> stored;
    journal::Place place;
    bool body_in_file = false;
    std::uint32_t body_crc = 0;
  };

  // Opening: journal_spool.cc.
  Task<Result<void>> make_directories();
  Task<Result<void>> take_lock();
  Task<Result<void>> adopt_recovered(journal::Recovered found);
  void adopt_messages(journal::Recovered& found);
  Task<Result<void>> remove_leftovers(std::vector<std::uint64_t> numbers);
  Task<Result<void>> sync_segment(std::uint64_t number);
  Task<Result<void>> start_writer(journal::Recovered& found);
  Task<Result<void>> check_bodies(const std::vector<std::string>& names);
  Task<Result<void>> tidy_bodies(const std::vector<std::string>& names);

  // Damaged segments: journal_damage.cc.
  Task<Result<void>> set_bad_aside();
  Task<void> set_bad_aside_later();
  Task<Result<void>> keep_from_bad(journal::Recovered::Bad bad);
  Task<Result<void>> set_aside(std::uint64_t number);
  // The message's content turned out to be damaged: told once, and the octets are kept. On return it yields
  // none any more.
  Task<void> lose_content(MessageId id, std::string path, std::string why);

  // Messages: journal_core.cc.
  journal::Kept* find(MessageId id) { return messages_.find(id.value); }
  Task<Result<void>> settle_body(journal::BodyWriter& body, journal::MessageMeta& meta);
  Task<Result<journal::Draft>> make_report(OwnMessage bounce, journal::MessageAndChanges& report,
                                           std::unique_ptr<File>& body_file);
  void insert(MessageId id, journal::Kept kept);
  std::optional<journal::Kept> apply(MessageId id, const std::vector<journal::Change>& changes);
  void release(const journal::Kept& gone);
  bool ends_with(const journal::Kept& kept, const std::vector<journal::Change>& changes) const;
  Task<void> remove_body(MessageId id, std::unique_ptr<File> file);
  Task<Result<void>> append_awaited(journal::Draft draft);

  // Content: journal_content.cc.
  std::string segment_path(std::uint64_t number) const;
  Task<Result<std::string>> read_exactly(std::string path, std::uint64_t offset, std::uint64_t size);
  Task<Result<std::string>> read_octets(Source source, std::uint64_t offset, std::uint64_t size);
  Task<Result<void>> verify(Source source);
  // Whether a chunk is still what verify has read; true of what it has not.
  bool is_as_verified(const Source& source, std::uint64_t offset, std::string_view octets) const;

  // Cleaning: journal_cleaner.cc.
  void clean_soon();
  bool over_budget() const;
  Task<void> clean();
  Task<Result<void>> remove_segment(std::uint64_t number);
  Task<Result<void>> move_messages(std::uint64_t number);
  Task<void> move_one(MessageId id, std::uint64_t from, std::optional<Error>& trouble);
  Task<Result<void>> move_message(MessageId id, std::uint64_t from);
  Task<Result<void>> move_unknown(std::uint64_t number, std::vector<journal::Entry> entries);

  Env& env_;
  SpoolSettings settings_;
  std::string journal_directory_;
  std::string bodies_directory_;
  std::unique_ptr<DiskLock> lock_;
  FileCache files_;
  journal::SegmentTable segments_;
  HashMap<std::uint64_t, journal::Kept> messages_;  // by id
  // Of messages that are read in several chunks: the checksum of each, as they were when all of it checked out.
  HashMap<std::uint64_t, std::vector<std::uint32_t>> verified_;
  std::deque<MessageId> recovered_;                 // not adopted yet
  std::unique_ptr<journal::JournalWriter> writer_;
  std::vector<journal::Recovered::Bad> bad_;  // not yet set aside
  std::vector<journal::Cut> cuts_;            // that recovery has found, for when those go that tell them
  Wakeup bad_retry_;
  TaskGroup tasks_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t mark_ = 1;  // sequence numbers below are reserved on the disk
  bool cleaning_ = false;
  bool closing_ = false;
};

}  // namespace postproof::queue
