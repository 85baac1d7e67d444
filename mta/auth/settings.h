// What an operator may set of logins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mta/auth/mechanism.h"
#include "mta/base/time.h"

namespace postproof::auth {

struct Settings {
  std::string password_file;   // at most one of these two; none: nobody can log in with a password
  std::string dovecot_socket;  // a path
  std::optional<std::vector<Mechanism>> mechanisms;  // none: all that the backend serves
  bool without_tls = false;    // false: nothing is offered, nor taken, in the clear
  bool required = false;       // no mail from who has not logged in
  unsigned failures_max = 3;   // in one session; the last of them ends it
  unsigned failures_per_client_max = 20;  // of one address within Failures::kMemory; then it is not heard
  Duration failure_delay = 1s;            // times the failures of that address so far, up to ten
};

}  // namespace postproof::auth
