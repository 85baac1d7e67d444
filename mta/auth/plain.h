// The message of PLAIN (RFC 4616 section 2). No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postproof::auth {

struct PlainMessage {
  std::string authzid;  // whom to act for; empty: itself
  std::string login;
  std::string password;
};

// None: not authzid NUL login NUL password, each UTF-8, the last two not empty.
std::optional<PlainMessage> parse_plain(std::string_view message);
std::string plain_message(std::string_view login, std::string_view password);

}  // namespace postproof::auth
