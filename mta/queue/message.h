// A message in the queue: what is kept in memory of it, and how each recipient fares.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "mta/base/message_id.h"
#include "mta/base/time.h"
#include "mta/mail/envelope.h"
#include "mta/queue/attempt_result.h"

namespace postproof::queue {

// What is known of a message that never changes.
struct StoredMessage {
  MessageId id;
  Envelope envelope;
  WallTime arrived{};
  std::uint64_t header_size = 0;  // octets of the block that we put on top (Received ...)
  std::uint64_t body_size = 0;    // octets of the message as received
  MessageId bounce_of;            // the message that this one reports about; value 0: not a bounce of ours
  std::uint64_t size() const { return header_size + body_size; }
};

// The numbers are stored: only append.
enum class RecipientStatus : std::uint8_t { pending, delivered, failed, expired };
std::string_view to_string(RecipientStatus status);

// One recipient's state; a change of it is what a progress record stores.
struct Progress {
  RecipientStatus status = RecipientStatus::pending;
  std::uint32_t attempts = 0;         // started
  WallTime due{};                     // of the next attempt, while pending
  std::optional<AttemptResult> last;  // of the last attempt that ended
};

struct QueuedMessage {
  std::shared_ptr<const StoredMessage> stored;
  std::vector<Progress> progress;  // one a recipient, by its index in the envelope
};

}  // namespace postproof::queue
