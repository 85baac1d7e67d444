// The content of a password file: who may log in, and what is kept of each password. No I/O.
//
//   # a comment
//   alice@example.org:SCRAM-SHA-256$10000:SALT$STOREDKEY:SERVERKEY      serves every mechanism with a password
//   bob:$y$j9T$...                                                      crypt(3): PLAIN and LOGIN
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "mta/auth/scram_keys.h"
#include "mta/base/toml_reader.h"

namespace postproof::auth {

struct CryptHash {
  std::string text;
};
using Secret = std::variant<ScramVerifier, CryptHash>;

// Heavy: for Work. `password` is prepared.
bool matches(const Secret& secret, const std::string& password);

class PasswordTable {
 public:
  // Lines that are none are complained of, and left out.
  static PasswordTable parse(std::string_view text, Problems& problems);

  // `user` is prepared; null: unknown.
  const Secret* find(std::string_view user) const;
  // Somebody's, drawn by the user's name, always the same: what an unknown user is checked against, so that it takes as
  // long. Null: the table is empty.
  const Secret* decoy(std::string_view user) const;
  // What SCRAM tells a client of a user whom it cannot serve: as if there were one, always the same.
  ScramVerifier decoy_verifier(std::string_view user) const;

  // Every password serves SCRAM, and there is one.
  bool all_scram() const { return !secrets_.empty() && scram_ == secrets_.size(); }
  std::size_t size() const { return secrets_.size(); }

 private:
  std::map<std::string, Secret, std::less<>> secrets_;  // by prepared name
  std::size_t scram_ = 0;
  std::string key_;  // of the decoys
};

// The file's text with the user's line set to this secret, or without it ("" for the secret); the other lines stand as
// they are. None: it was to go and is not there.
std::optional<std::string> edit_password_file(std::string_view text, std::string_view user, std::string_view secret);

}  // namespace postproof::auth
