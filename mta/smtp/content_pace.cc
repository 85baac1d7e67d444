#include "mta/smtp/content_pace.h"

#include <algorithm>

namespace postproof::smtp {

void ContentPace::heard(Duration waited, std::size_t octets) {
  if (settings_->data_rate_min == 0) return;
  // A buffer's octets at one a second are hours, and do not overflow.
  const Duration earned = Duration(std::chrono::seconds(octets)) / static_cast<Duration::rep>(settings_->data_rate_min);
  patience_ = std::min(patience_ - waited + earned, settings_->data_timeout);
}

}  // namespace postproof::smtp
