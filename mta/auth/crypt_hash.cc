#include "mta/auth/crypt_hash.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <array>
#include <memory>

namespace postproof::auth {

namespace {

std::optional<std::string> hash_of(const std::string& password, const std::string& setting) {
  const auto data = std::make_unique<crypt_data>();
  const char* made = crypt_rn(password.c_str(), setting.c_str(), data.get(), sizeof(crypt_data));
  if (made == nullptr || *made == '*') return std::nullopt;
  return std::string(made);
}

}  // namespace

bool is_crypt_hash(std::string_view text) {
  if (!text.starts_with('$')) return false;
  const int verdict = crypt_checksalt(std::string(text).c_str());
  return verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY || verdict == CRYPT_SALT_TOO_CHEAP;
}

bool crypt_matches(const std::string& hash, const std::string& password) {
  const auto made = hash_of(password, hash);
  return made && made->size() == hash.size() && CRYPTO_memcmp(made->data(), hash.data(), hash.size()) == 0;
}

std::optional<std::string> make_yescrypt_hash(const std::string& password, std::string_view random) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (crypt_gensalt_rn("$y$", 0, random.data(), static_cast<int>(random.size()), setting.data(),
                       static_cast<int>(setting.size())) == nullptr) {
    return std::nullopt;
  }
  return hash_of(password, setting.data());
}

}  // namespace postproof::auth
