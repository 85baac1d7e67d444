#include "mta/auth/plain.h"

#include "mta/base/text.h"

namespace postproof::auth {

std::optional<PlainMessage> parse_plain(std::string_view message) {
  const auto parts = split(message, '\0');
  if (parts.size() != 3 || parts[1].empty() || parts[2].empty()) return std::nullopt;
  return PlainMessage{std::string(parts[0]), std::string(parts[1]), std::string(parts[2])};
}

std::string plain_message(std::string_view login, std::string_view password) {
  std::string message(1, '\0');
  message += login;
  message += '\0';
  message += password;
  return message;
}

}  // namespace postproof::auth
