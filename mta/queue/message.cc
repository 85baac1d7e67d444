#include "mta/queue/message.h"

namespace postproof::queue {

std::string_view to_string(RecipientStatus status) {
  switch (status) {
    case RecipientStatus::pending: return "pending";
    case RecipientStatus::delivered: return "delivered";
    case RecipientStatus::failed: return "failed";
    case RecipientStatus::expired: return "expired";
  }
  return "unknown";
}

}  // namespace postproof::queue
