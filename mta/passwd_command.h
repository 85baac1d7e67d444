// postproof-mta passwd: writes, changes or deletes a user's line of a password file (mta/auth/password_table.h).
//
// The password comes from the terminal, twice and without echo, or as a line of standard input. The new file takes the
// old one's place as a whole, with its owner and mode: a daemon that reads meanwhile sees either.
#pragma once

#include <string>

namespace postproof {

struct PasswdOptions {
  std::string file;
  std::string user;
  std::string scheme = "scram";  // or "yescrypt"
  bool remove = false;
};

// 0, or 1 and what is wrong on standard error.
int passwd(const PasswdOptions& options);

}  // namespace postproof
