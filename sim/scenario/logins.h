// Logins (RFC 4954) as a scenario has them: a client's, and those that a peer demands (docs/scenarios.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/toml_reader.h"

namespace postproof::sim {

// How a client logs in.
struct ClientLogin {
  std::string mechanism = "PLAIN";  // a word of client_mechanism_words()
  std::string login, password;
  std::string slip;  // what goes wrong, a word of client_slip_words(); empty: nothing
  bool operator==(const ClientLogin&) const = default;
};

// Whom a peer lets in. Without a mechanism it has no AUTH, and lets in everybody.
struct PeerLogins {
  std::vector<std::string> mechanisms;  // words of peer_mechanism_words(), as EHLO tells them
  std::string login, password;
  std::string slip;  // a word of peer_slip_words(); empty: nothing
  bool operator==(const PeerLogins&) const = default;
};

inline const std::vector<std::string_view>& client_mechanism_words() {
  static const std::vector<std::string_view> words = {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"};
  return words;
}
// "nonce": answers with another nonce than the server's; "binding": binds to another connection.
inline const std::vector<std::string_view>& client_slip_words() {
  static const std::vector<std::string_view> words = {"nonce", "binding"};
  return words;
}
inline const std::vector<std::string_view>& peer_mechanism_words() {
  static const std::vector<std::string_view> words = {"PLAIN", "LOGIN", "SCRAM-SHA-256"};
  return words;
}
// "nonce": does not go on with the client's nonce; "signature": does not know the password itself; "no-signature": ends
// without having shown it.
inline const std::vector<std::string_view>& peer_slip_words() {
  static const std::vector<std::string_view> words = {"nonce", "signature", "no-signature"};
  return words;
}

// The key `auth` of a submission, and of a peer. Absent: none.
std::optional<ClientLogin> read_client_login(TomlReader& table);
PeerLogins read_peer_logins(TomlReader& table);

}  // namespace postproof::sim
