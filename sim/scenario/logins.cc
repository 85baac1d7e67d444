#include "sim/scenario/logins.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

// Both are needed, and have a meaning in no other place.
void read_names(TomlReader& table, std::string& login, std::string& password) {
  for (const std::string_view key : {"login", "password"}) {
    if (!table.has(key)) table.complain(key, "missing; a login has \"login\" and \"password\"");
  }
  login = table.string("login").value_or("");
  password = table.string("password").value_or("");
}

}  // namespace

std::optional<ClientLogin> read_client_login(TomlReader& table) {
  auto inner = table.table("auth");
  if (!inner) return std::nullopt;
  ClientLogin login;
  read_names(*inner, login.login, login.password);
  login.mechanism = inner->word("mechanism", client_mechanism_words()).value_or("PLAIN");
  inner->finish();
  return login;
}

PeerLogins read_peer_logins(TomlReader& table) {
  PeerLogins logins;
  auto inner = table.table("auth");
  if (!inner) return logins;
  read_names(*inner, logins.login, logins.password);
  logins.mechanisms = inner->strings("mechanisms").value_or(std::vector<std::string>{"PLAIN", "LOGIN", "SCRAM-SHA-256"});
  if (logins.mechanisms.empty()) inner->complain("mechanisms", "expected at least one");
  const auto& known = peer_mechanism_words();
  for (const std::string& word : logins.mechanisms) {
    if (std::ranges::find(known, word) != known.end()) continue;
    inner->complain("mechanisms", fmt::format("\"{}\" is no mechanism of a peer; expected PLAIN, LOGIN or SCRAM-SHA-256", escape(word)));
  }
  logins.slip = inner->word("slip", peer_slip_words()).value_or("");
  inner->finish();
  return logins;
}

}  // namespace postproof::sim
