#include "mta/os/errno_error.h"

#include <doctest/doctest.h>

#include <cerrno>

namespace postproof::os {
namespace {

TEST_CASE("errors of the operating system have a code to act on and a text that says what failed") {
  struct Row {
    Error error;
    Errc code;
    std::string_view what;
  };
  const Row rows[] = {
      {file_error(EACCES, "open /var/x"), Errc::permission, "open /var/x: permission denied"},
      {file_error(EROFS, "open /x"), Errc::permission, "open /x: read-only file system"},
      {file_error(ENOENT, "open /x"), Errc::not_found, "open /x: no such file or directory"},
      {file_error(EEXIST, "mkdir /x"), Errc::already_exists, "mkdir /x: file exists"},
      {file_error(ENOSPC, "/x: write"), Errc::no_space, "/x: write: no space left on device"},
      {file_error(EDQUOT, "/x: write"), Errc::no_space, "/x: write: disk quota exceeded"},
      {file_error(EIO, "/x: sync"), Errc::io, "/x: sync: input/output error"},
      {file_error(EMFILE, "open /x"), Errc::io, "open /x: too many open files"},
      {file_error(EXDEV, "rename"), Errc::invalid, "rename: invalid cross-device link"},
      {socket_error(ECONNREFUSED, "connect 192.0.2.1:25"), Errc::refused, "connect 192.0.2.1:25: connection refused"},
      {socket_error(ENETUNREACH, "connect"), Errc::unreachable, "connect: network is unreachable"},
      {socket_error(EHOSTUNREACH, "connect"), Errc::unreachable, "connect: no route to host"},
      {socket_error(EAFNOSUPPORT, "connect"), Errc::unreachable, "connect: address family not supported by protocol"},
      {socket_error(ECONNRESET, "read"), Errc::reset, "read: connection reset by peer"},
      {socket_error(EPIPE, "write"), Errc::reset, "write: broken pipe"},
      {socket_error(ETIMEDOUT, "read"), Errc::timed_out, "read: connection timed out"},
      {socket_error(EMFILE, "accept"), Errc::io, "accept: too many open files"},
      {bind_error(EADDRINUSE, "listen at 0.0.0.0:25"), Errc::in_use, "listen at 0.0.0.0:25: address already in use"},
      {bind_error(EACCES, "listen"), Errc::permission, "listen: permission denied"},
      {bind_error(EADDRNOTAVAIL, "listen"), Errc::invalid, "listen: cannot assign requested address"},
      {file_error(99999, "open"), Errc::io, "open: error 99999"},
  };
  for (const Row& row : rows) {
    CHECK(row.error.code == row.code);
    CHECK(row.error.what == row.what);
  }
}

}  // namespace
}  // namespace postproof::os
