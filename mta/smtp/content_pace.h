// How long a client may keep us waiting for content (RFC 5321 section 4.5.3.2.5), and how slowly it may send it.
//
// It begins with data_timeout of patience. Waiting uses it up, each octet earns its share of a second at data_rate_min, and it
// never grows beyond data_timeout. So silence is cut off after data_timeout, and content that keeps coming slower than
// data_rate_min a little later; a fast client may pause. What we need ourselves to store it costs the client nothing.
#pragma once

#include <cstddef>

#include "mta/base/time.h"
#include "mta/smtp/settings.h"

namespace postproof::smtp {

class ContentPace {
 public:
  // `settings` outlives it.
  explicit ContentPace(const ServerSettings& settings) : settings_(&settings), patience_(settings.data_timeout) {}

  Duration patience() const { return patience_; }
  // After a wait so many octets have come.
  void heard(Duration waited, std::size_t octets);

 private:
  const ServerSettings* settings_;
  Duration patience_;
};

}  // namespace postproof::smtp
