// What the operating system answers, as an Error: a code that callers act on and a text for people.
#pragma once

#include <string>
#include <string_view>

#include "mta/base/result.h"

namespace postproof::os {

// The untranslated text of an errno in lower case: "permission denied".
std::string errno_text(int number);

// file_error(EACCES, "open /var/x") says "open /var/x: permission denied".
Error file_error(int number, std::string_view doing);    // of calls on files and directories
Error socket_error(int number, std::string_view doing);  // of calls on sockets
Error bind_error(int number, std::string_view doing);    // of bind and listen

inline std::unexpected<Error> fail_file(int number, std::string_view doing) {
  return std::unexpected<Error>(file_error(number, doing));
}
inline std::unexpected<Error> fail_socket(int number, std::string_view doing) {
  return std::unexpected<Error>(socket_error(number, doing));
}

}  // namespace postproof::os
