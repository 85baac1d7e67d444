// Password hashes of crypt(3): "$y$...", "$6$...", "$2b$...". Checking one is heavy (yescrypt: 20 ms): it is for Work.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postproof::auth {

// A hash of a method that this system's crypt(3) knows. The traditional DES hashes, which have no "$", are not taken.
bool is_crypt_hash(std::string_view text);

bool crypt_matches(const std::string& hash, const std::string& password);

// `random`: at least 16 octets. None: crypt(3) refuses the password (over 512 octets).
std::optional<std::string> make_yescrypt_hash(const std::string& password, std::string_view random);

}  // namespace postproof::auth
