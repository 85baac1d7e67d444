#include "mta/auth/password_table.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <optional>

#include "mta/auth/crypt_hash.h"
#include "mta/auth/prepare.h"
#include "mta/base/text.h"

namespace postproof::auth {

namespace {

constexpr std::size_t kDecoySaltSize = 16;
constexpr std::uint32_t kDecoyIterations = 10'000;  // of a table without any verifier

// The number that a keyed hash gives a name.
std::uint64_t draw(std::string_view key, std::string_view user) {
  const std::string digest = hmac_sha256(key, user);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(digest[i]);
  return number;
}

std::optional<Secret> parse_secret(std::string_view text) {
  if (auto verifier = parse_scram_verifier(text)) return Secret(std::move(*verifier));
  if (is_crypt_hash(text)) return Secret(CryptHash{std::string(text)});
  return std::nullopt;
}

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

bool is_entry(std::string_view line) {
  const std::string_view bare = trim(line);
  return !bare.empty() && bare[0] != '#';
}

}  // namespace

bool matches(const Secret& secret, const std::string& password) {
  if (const auto* verifier = std::get_if<ScramVerifier>(&secret)) return scram_matches(*verifier, password);
  return crypt_matches(std::get<CryptHash>(secret).text, password);
}

PasswordTable PasswordTable::parse(std::string_view text, Problems& problems) {
  PasswordTable table;
  std::uint32_t number = 0;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!is_entry(line)) continue;
    // A name may hold a colon no more than in /etc/passwd; a verifier does hold some.
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      problems.add({number, 1}, "no \":\"; expected user:HASH");
      continue;
    }
    auto user = prepare(line.substr(0, colon));
    if (!user) {
      problems.add({number, 1}, fmt::format("\"{}\" is no user name; expected UTF-8 without controls", escape(line.substr(0, colon))));
      continue;
    }
    auto secret = parse_secret(line.substr(colon + 1));
    const auto column = static_cast<std::uint32_t>(colon + 2);
    if (!secret) {
      problems.add({number, column}, "not a hash; expected one of crypt(3) (\"$y$...\") or SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY "
                                     "in base64, as postproof-mta passwd writes them");
      continue;
    }
    const bool scram = std::holds_alternative<ScramVerifier>(*secret);
    const auto [at, fresh] = table.secrets_.emplace(std::move(*user), std::move(*secret));
    if (!fresh) {
      problems.add({number, 1}, fmt::format("\"{}\" stands in the file twice; the first line counts", escape(at->first)));
      continue;
    }
    if (scram) ++table.scram_;
    // One line's secret is secret enough, and the same after a restart.
    if (table.key_.empty()) table.key_ = sha256(line);
  }
  return table;
}

const Secret* PasswordTable::find(std::string_view user) const {
  const auto at = secrets_.find(user);
  return at == secrets_.end() ? nullptr : &at->second;
}

const Secret* PasswordTable::decoy(std::string_view user) const {
  if (secrets_.empty()) return nullptr;
  const auto which = static_cast<std::ptrdiff_t>(draw(key_, user) % secrets_.size());
  return &std::next(secrets_.begin(), which)->second;
}

ScramVerifier PasswordTable::decoy_verifier(std::string_view user) const {
  ScramVerifier verifier;
  verifier.iterations = kDecoyIterations;
  std::size_t salt_size = kDecoySaltSize;
  const Secret* like = decoy(user);
  if (const auto* real = like == nullptr ? nullptr : std::get_if<ScramVerifier>(like)) {
    verifier.iterations = real->iterations;
    salt_size = real->salt.size();
  }
  verifier.salt = hmac_sha256(key_, user).substr(0, salt_size);
  // No password fits: nobody knows what this is the hash of.
  verifier.stored_key = hmac_sha256(key_, fmt::format("stored {}", user));
  verifier.server_key = hmac_sha256(key_, fmt::format("server {}", user));
  return verifier;
}

std::optional<std::string> edit_password_file(std::string_view text, std::string_view user, std::string_view secret) {
  std::string edited;
  bool found = false;
  const std::string entry = fmt::format("{}:{}\n", user, secret);
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const bool of_user = is_entry(line) && prepare(line.substr(0, line.find(':'))) == user;
    if (!of_user) {
      edited += line;
      edited += '\n';
    } else if (!found && !secret.empty()) {
      edited += entry;
    }
    found = found || of_user;
  }
  if (!found && secret.empty()) return std::nullopt;
  if (!found) edited += entry;
  return edited;
}

}  // namespace postproof::auth
