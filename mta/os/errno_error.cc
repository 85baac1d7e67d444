#include "mta/os/errno_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "mta/base/text.h"

namespace postproof::os {

namespace {

Errc file_code(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR: return Errc::not_found;
    case EEXIST: return Errc::already_exists;
    case EACCES:
    case EPERM:
    case EROFS: return Errc::permission;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Errc::no_space;
    case EISDIR:
    case ENOTEMPTY:
    case EXDEV:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL: return Errc::invalid;
    default: return Errc::io;
  }
}

Errc socket_code(int number) {
  switch (number) {
    case ECONNREFUSED:
    case ENOENT: return Errc::refused;  // ENOENT: a Unix path where nobody listens
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL: return Errc::unreachable;  // no address of ours to reach it from
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE: return Errc::reset;
    case ETIMEDOUT: return Errc::timed_out;
    case EACCES:
    case EPERM: return Errc::permission;
    case EMSGSIZE: return Errc::too_large;
    default: return Errc::io;
  }
}

Errc bind_code(int number) {
  switch (number) {
    case EADDRINUSE: return Errc::in_use;
    case EACCES:
    case EPERM:
    case EROFS: return Errc::permission;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EINVAL: return Errc::invalid;
    default: return Errc::io;
  }
}

Error error_of(Errc code, int number, std::string_view doing) {
  return Error{code, fmt::format("{}: {}", doing, errno_text(number))};
}

}  // namespace

std::string errno_text(int number) {
  const char* text = strerrordesc_np(number);
  if (text == nullptr) return fmt::format("error {}", number);
  std::string lowered = text;
  lowered[0] = ascii_lower(lowered[0]);
  return lowered;
}

Error file_error(int number, std::string_view doing) { return error_of(file_code(number), number, doing); }

Error socket_error(int number, std::string_view doing) { return error_of(socket_code(number), number, doing); }

Error bind_error(int number, std::string_view doing) { return error_of(bind_code(number), number, doing); }

}  // namespace postproof::os
