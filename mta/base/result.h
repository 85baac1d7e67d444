// Results and errors. An operating error is a value: what went wrong (a code that a caller can act
// on) and what was being done to what (a text for people). Broken invariants are not errors: see check.h.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace postproof {

// A code stands here only if some caller reacts to it differently from the others.
enum class Errc : std::uint8_t {
  closed,             // our own side closed the thing (or the node has crashed): give up quietly
  timed_out,          // the deadline came first
  refused,            // the peer's host answered that nobody listens
  unreachable,        // no route to the peer, or its network said so
  reset,              // the peer cut the connection (RST), or we did while a call was waiting
  unexpected_eof,     // the peer closed in the middle of something
  protocol,           // the peer sent something that the protocol does not allow
  too_large,          // over a named limit
  invalid,            // bad input: configuration, address, argument
  not_found,          // no such file or entry
  already_exists,     // the file is there already
  in_use,             // an address that another holds, a spool that another process locks
  permission,         // the operating system forbids it
  no_space,           // the disk is full
  io,                 // the disk failed
  poisoned,           // an earlier sync of this file failed: nothing about it is known any more
  corrupt,            // stored data does not check out
  wrong_version,      // stored data of another version of the format
  dns_no_such_domain, // NXDOMAIN
  dns_no_data,        // the name exists and has neither MX nor address
  dns_null_mx,        // RFC 7505: the domain says that it takes no mail
  dns_no_usable_mx,   // MX records exist, and none of them can be used
  dns_self_mx,        // RFC 5321 section 5.1: only we are left in the MX list
  dns_temporary,      // SERVFAIL, REFUSED, timeout, lame: ask again later
};

std::string_view to_string(Errc code);

struct [[nodiscard]] Error {
  Errc code;
  std::string what;  // "connect mx1.example.net [192.0.2.1]:25: timed out after 30 s"

  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

// return fail(Errc::invalid, "...");
inline std::unexpected<Error> fail(Errc code, std::string what) {
  return std::unexpected<Error>(Error{code, std::move(what)});
}

// Passes an error on, with what the caller was doing in front: "open spool: mkdir /x: permission denied".
inline std::unexpected<Error> fail(std::string_view doing, Error error) {
  error.what.insert(0, std::string(doing) + ": ");
  return std::unexpected<Error>(std::move(error));
}

}  // namespace postproof
