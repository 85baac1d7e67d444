// What an operator may set of delivery.
#pragma once

#include <cstdint>
#include <string>

#include "mta/base/time.h"

namespace postproof::deliver {

struct Settings {
  std::string hostname;                 // Reporting-MTA, and the domain of MAILER-DAEMON
  std::string report_from;              // address in the From of reports; empty: MAILER-DAEMON of us
  unsigned messages_per_connection_max = 100;
  unsigned recipients_per_transaction_max = 100;
  unsigned hosts_per_attempt_max = 10;  // addresses dialed in one attempt
};

}  // namespace postproof::deliver
