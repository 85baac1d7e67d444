// What SCRAM-SHA-256 keeps and computes of a password (RFC 5802 section 3, RFC 7677).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postproof::auth {

// Enough to check a password, and not enough to be somebody: what a server keeps.
struct ScramVerifier {
  std::uint32_t iterations = 0;
  std::string salt;
  std::string stored_key;  // 32 octets
  std::string server_key;  // 32 octets
  bool operator==(const ScramVerifier&) const = default;
};

inline constexpr std::size_t kScramKeySize = 32;
inline constexpr std::uint32_t kScramIterationsMin = 4096;  // RFC 7677 section 4
// A server that asks for more wants our processor, and one that keeps more has no users.
inline constexpr std::uint32_t kScramIterationsMax = 2'000'000;

std::string sha256(std::string_view octets);
std::string hmac_sha256(std::string_view key, std::string_view octets);
// Hi() of RFC 5802 section 2.2: PBKDF2. Heavy: for Work.
std::string salted_password(std::string_view password, std::string_view salt, std::uint32_t iterations);
bool equal_in_constant_time(std::string_view a, std::string_view b);
std::string exclusive_or(std::string_view a, std::string_view b);  // of one size

// Heavy. The password is prepared (prepare.h).
ScramVerifier make_scram_verifier(std::string_view password, std::string salt, std::uint32_t iterations);
bool scram_matches(const ScramVerifier& verifier, std::string_view password);

// "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>", the last three in base64: the form of RFC 5803 that
// PostgreSQL too uses. None: not of this form.
std::optional<ScramVerifier> parse_scram_verifier(std::string_view text);
std::string to_string(const ScramVerifier& verifier);

}  // namespace postproof::auth
