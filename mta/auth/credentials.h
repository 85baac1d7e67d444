// Who we are at another's host.
#pragma once

#include <string>

namespace postproof::auth {

struct Credentials {
  std::string login;
  std::string password;
};

}  // namespace postproof::auth
