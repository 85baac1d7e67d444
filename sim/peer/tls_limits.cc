#include "sim/peer/tls_limits.h"

#include <openssl/ssl.h>

namespace postproof::sim {

namespace {

// Before TLS 1.2 there is no AEAD, and signatures are made with SHA-1: OpenSSL wants to be told that this is wanted.
constexpr const char* kOldSuites = "ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0";

int number_of(const std::string& version) {
  if (version == "1.0") return TLS1_VERSION;
  if (version == "1.1") return TLS1_1_VERSION;
  return version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
}

}  // namespace

void limit_tls(ssl_st* ssl, const std::string& version, const std::string& cipher) {
  if (!version.empty()) {
    const int number = number_of(version);
    SSL_set_min_proto_version(ssl, number);
    SSL_set_max_proto_version(ssl, number);
    if (number < TLS1_2_VERSION) SSL_set_cipher_list(ssl, kOldSuites);
  }
  if (cipher.empty()) return;
  if (cipher.starts_with("TLS_")) {
    SSL_set_ciphersuites(ssl, cipher.c_str());
    SSL_set_min_proto_version(ssl, TLS1_3_VERSION);
    return;
  }
  SSL_set_cipher_list(ssl, (cipher + ":@SECLEVEL=0").c_str());
  if (version.empty()) SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
  SSL_set_dh_auto(ssl, 1);  // a group as strong as the certificate's key
}

}  // namespace postproof::sim
