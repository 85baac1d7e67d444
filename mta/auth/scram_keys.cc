#include "mta/auth/scram_keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "mta/base/base64.h"
#include "mta/base/check.h"
#include "mta/base/text.h"

namespace postproof::auth {

namespace {

constexpr std::string_view kScheme = "SCRAM-SHA-256$";
constexpr std::size_t kSaltMax = 64;

unsigned char* octets_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* octets_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

std::string sha256(std::string_view octets) {
  std::string digest(kScramKeySize, '\0');
  const int done = EVP_Digest(octets.data(), octets.size(), octets_of(digest), nullptr, EVP_sha256(), nullptr);
  PP_CHECK(done == 1, "no SHA-256");
  return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view octets) {
  std::string digest(kScramKeySize, '\0');
  const auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets_of(octets), octets.size(),
                          octets_of(digest), nullptr);
  PP_CHECK(done != nullptr, "no HMAC-SHA-256");
  return digest;
}

std::string salted_password(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  std::string key(kScramKeySize, '\0');
  const int done = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets_of(salt),
                                     static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                                     static_cast<int>(key.size()), octets_of(key));
  PP_CHECK(done == 1, "no PBKDF2");
  return key;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string exclusive_or(std::string_view a, std::string_view b) {
  PP_CHECK(a.size() == b.size(), "exclusive or of different sizes");
  std::string result(a);
  for (std::size_t i = 0; i < b.size(); ++i) result[i] = static_cast<char>(result[i] ^ b[i]);
  return result;
}

ScramVerifier make_scram_verifier(std::string_view password, std::string salt, std::uint32_t iterations) {
  ScramVerifier verifier;
  verifier.iterations = iterations;
  const std::string salted = salted_password(password, salt, iterations);
  verifier.salt = std::move(salt);
  verifier.stored_key = sha256(hmac_sha256(salted, "Client Key"));
  verifier.server_key = hmac_sha256(salted, "Server Key");
  return verifier;
}

bool scram_matches(const ScramVerifier& verifier, std::string_view password) {
  const ScramVerifier made = make_scram_verifier(password, verifier.salt, verifier.iterations);
  return equal_in_constant_time(made.stored_key, verifier.stored_key);
}

std::optional<ScramVerifier> parse_scram_verifier(std::string_view text) {
  if (!text.starts_with(kScheme)) return std::nullopt;
  const auto parts = split(text.substr(kScheme.size()), '$');
  if (parts.size() != 2) return std::nullopt;
  const auto terms = split(parts[0], ':');
  const auto keys = split(parts[1], ':');
  if (terms.size() != 2 || keys.size() != 2) return std::nullopt;
  const auto iterations = parse_decimal(terms[0]);
  auto salt = base64_decode(terms[1]);
  auto stored_key = base64_decode(keys[0]);
  auto server_key = base64_decode(keys[1]);
  if (!iterations || *iterations == 0 || *iterations > kScramIterationsMax) return std::nullopt;
  if (!salt || salt->empty() || salt->size() > kSaltMax) return std::nullopt;
  if (!stored_key || stored_key->size() != kScramKeySize) return std::nullopt;
  if (!server_key || server_key->size() != kScramKeySize) return std::nullopt;
  return ScramVerifier{static_cast<std::uint32_t>(*iterations), std::move(*salt), std::move(*stored_key),
                       std::move(*server_key)};
}

std::string to_string(const ScramVerifier& verifier) {
  return fmt::format("{}{}:{}${}:{}", kScheme, verifier.iterations, base64_encode(verifier.salt),
                     base64_encode(verifier.stored_key), base64_encode(verifier.server_key));
}

}  // namespace postproof::auth
