// What one side of a TLS connection is limited to: a version and a suite, good or bad. With it a peer or a client is what
// an MTA should not talk to (RFC 9325), which OpenSSL by itself would refuse to be.
#pragma once

#include <string>

struct ssl_st;

namespace postproof::sim {

// `version`: a word of version_words(), `cipher`: of cipher_words(); an empty one limits nothing. Before the handshake.
void limit_tls(ssl_st* ssl, const std::string& version, const std::string& cipher);

}  // namespace postproof::sim
