// The arguments of XCLIENT, Postfix's protocol by which a content filter or a proxy tells whose session it passes on: attributes
// with values in xtext (RFC 3461 section 4), "[UNAVAILABLE]" and "[TEMPUNAVAIL]" for what it does not know. No I/O.
//
// Who may say it is the session's to judge: these are claims.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "mta/base/endpoint.h"

namespace postproof::smtp {

struct SessionInfo;

inline constexpr std::array<std::string_view, 8> kXclientAttributes = {"NAME", "ADDR", "PORT",     "PROTO",
                                                                       "HELO", "LOGIN", "DESTADDR", "DESTPORT"};

// What was not said stays as it is in the session.
struct XclientAttributes {
  std::optional<std::string> name;         // of the client in the DNS; empty: not known
  std::optional<IpAddress> address;        // unspecified: not known
  std::optional<std::uint16_t> port;       // 0: not known
  std::optional<std::string> helo;         // empty: not known, and EHLO is to come
  std::optional<bool> extended;            // PROTO: ESMTP
  std::optional<std::string> login;        // in prepared form; empty: nobody
  std::optional<IpAddress> local_address;  // DESTADDR
  std::optional<std::uint16_t> local_port;

  void apply(SessionInfo& session) const;
};

// None of it is taken where one is wrong; the error is the text of the 501.
std::expected<XclientAttributes, std::string> parse_xclient(std::string_view arguments);

}  // namespace postproof::smtp
