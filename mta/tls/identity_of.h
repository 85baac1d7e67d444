// What a certificate or a connection says of who stands behind it, for logins: names, and what binds to the channel.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace postproof::tls {

// RFC 9266: 32 octets exported from a connection of TLS 1.3; empty for one of TLS 1.2, where implementations differ in
// what they export.
std::string exported_binding(SSL* ssl);

// RFC 5929 section 4.1: the hash of the server's certificate, by the hash function of its signature, and SHA-256 in the
// place of MD5 and SHA-1. Empty: its signature has none.
std::string certificate_binding(const X509* certificate);

// Mail addresses, the subject's common name, host names: each once, in this order. Names with an octet of NUL are none:
// they are made to be read as another.
std::vector<std::string> subject_names(const X509* certificate);

}  // namespace postproof::tls
