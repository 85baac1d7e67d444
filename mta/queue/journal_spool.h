// The spool on a disk: a journal and files for large bodies.
//
//   DIRECTORY/lock                held as long as a process has the spool
//   DIRECTORY/journal/NNNNNNNN    segments (journal_format.h); NNNNNNNN.bad: damaged and set aside
//   DIRECTORY/bodies/ID           bodies over limits::kInlineBody, synced before the commit that names them;
//                                 ID.bad: found damaged
//
// Bodies that no record names go at start, but not while a damaged segment is there that may have named them.
//
// The journal is a log with a head and a tail: records are added at its head, and only its oldest segment
// ever goes, so that no record can outlive what it says about an older one. When more than half of the
// journal is dead, what lives in the oldest segment is copied forward; large bodies never are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mta/env/env.h"
#include "mta/queue/settings.h"
#include "mta/queue/spool.h"

namespace postproof::queue {

class JournalSpool final : public Spool {
 public:
  // Makes the folders that are missing (not their parents), locks, recovers. Errors: in_use when another
  // process has the spool; wrong_version; those of the disk, but a full one: then what is there is ours, begin()
  // yields no_space until there is room, and what is awaited fails. What recovery has to tell becomes events.
  static Task<Result<std::unique_ptr<JournalSpool>>> open(Env& env, SpoolSettings settings);
  // close() has been awaited, and the writers of begin() are gone.
  ~JournalSpool() override;

  Task<Result<std::unique_ptr<SpoolWriter>>> begin() override;
  // A record with a bounce is always awaited.
  Task<Result<std::shared_ptr<const StoredMessage>>> record(MessageId id, std::vector<ProgressUpdate> updates,
                                                            std::optional<OwnMessage> bounce,
                                                            Durability durability) override;
  // Content is checked against its CRC before its first octet is given out: Errc::corrupt. That is told once,
  // and the octets are kept under a second name, *.bad, for as long as nobody removes them.
  Task<Result<std::string>> read(MessageId id, std::uint64_t offset, std::size_t size) override;
  Task<Result<std::optional<QueuedMessage>>> adopt() override;
  Task<Result<std::uint64_t>> free_bytes() override;
  Task<void> close() override;

  // Nothing is being written, synced, moved or removed. On the spool's own thread.
  bool idle() const;

  class Core;

 private:
  explicit JournalSpool(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

// The queue of a spool that no process holds, by id. Changes nothing and locks nothing: a process that comes up
// meanwhile is not kept from it. Errors: in_use, of such a process too; wrong_version; not_found when there is no
// spool; those of the disk.
Task<Result<std::vector<QueuedMessage>>> read_queue(Env& env, SpoolSettings settings);

}  // namespace postproof::queue
