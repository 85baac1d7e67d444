// The spool: messages that are ours, kept so that no crash loses one. An interface that speaks of
// messages, not of files; queue/journal implements it on a disk.
//
// All calls may come from any thread: they run on the spool's executor and return on the caller's.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mta/base/result.h"
#include "mta/env/task.h"
#include "mta/queue/message.h"

namespace postproof::queue {

// A message being written. Destroying it without a commit abandons it: nothing stays.
class SpoolWriter {
 public:
  virtual ~SpoolWriter() = default;
  virtual MessageId id() const = 0;
  // Chunks of the body as received, in order.
  virtual Task<Result<void>> write(std::string chunk) = 0;
  // Durable and ours when it returns without error; the commit is the first attempt's record too: every
  // recipient stands at pending, attempts 0, due now. `header` is what delivery sends before the body.
  virtual Task<Result<std::shared_ptr<const StoredMessage>>> commit(Envelope envelope, std::string header,
                                                                    WallTime arrived) = 0;
};

// A new message that the MTA itself writes: a bounce. Its whole text fits into memory.
struct OwnMessage {
  Envelope envelope;
  std::string content;
  WallTime arrived{};
  MessageId bounce_of;
};

struct ProgressUpdate {
  std::size_t recipient = 0;  // index in the envelope
  Progress progress;
};

enum class Durability : std::uint8_t {
  awaited,  // synced before the call returns
  soon,     // written before the call returns, synced with the next group or after 20 ms; when the disk
            // refuses, it is kept and written as soon as that is over
};

class Spool {
 public:
  virtual ~Spool() = default;

  virtual Task<Result<std::unique_ptr<SpoolWriter>>> begin() = 0;

  // Changes the state of recipients of one message; with a bounce, both are one record: after a crash
  // both are there or neither. A message whose recipients are all past pending is gone.
  // Returns the bounce as it was stored, if one was given.
  virtual Task<Result<std::shared_ptr<const StoredMessage>>> record(MessageId id, std::vector<ProgressUpdate> updates,
                                                                    std::optional<OwnMessage> bounce,
                                                                    Durability durability) = 0;

  // Octets of header and body as one, from `offset`; up to `size` of them, fewer only at the end.
  virtual Task<Result<std::string>> read(MessageId id, std::uint64_t offset, std::size_t size) = 0;

  // The next message that has become ours without a commit of this process: those that recovery found,
  // in order of their ids; then none (a shared spool will go on).
  virtual Task<Result<std::optional<QueuedMessage>>> adopt() = 0;

  // Octets that a new message may still have.
  virtual Task<Result<std::uint64_t>> free_bytes() = 0;

  // Everything written is synced; nothing is accepted any more (Errc::closed).
  virtual Task<void> close() = 0;
};

}  // namespace postproof::queue
