// What all TLS connections of one kind share: our certificate and key as a server, whom we trust as a client.
// Immutable once made; may be used from any thread. OpenSSL stands behind it, as the Env's TlsPort gives it.
//
// RFC 9325: TLS 1.2 and 1.3 only (section 3.1.1); no compression (3.3), no renegotiation (3.5), no resumption. What Terms
// says unless told: with TLS 1.2 only suites with forward secrecy and AEAD (4.2); RFC 8446 section 4.2.7: X25519, then
// P-256 and P-384.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/result.h"
#include "mta/env/env.h"

struct ssl_ctx_st;
struct ssl_st;

namespace postproof::tls {

// PEM.
struct Identity {
  std::string chain;  // our certificate first, then those that lead to a root
  std::string key;    // private
};

// What is spoken, in OpenSSL's words.
struct Terms {
  bool tls12 = true;                                    // false: TLS 1.3 alone
  std::string ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2
  std::string suites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";  // of TLS 1.3
  std::string groups = "X25519:P-256:P-384";
};

class Context {
 public:
  enum class Role : std::uint8_t { client, server };

  // Errc::invalid: no certificate, no key, or they don't belong together. A certificate that others will refuse
  // (expired, another's name, a weak key) is taken: that is theirs to say.
  // `client_roots`: PEM. With them a client is asked for a certificate, and one that it gives is looked at; whatever it
  // is, the connection stands.
  // `others`: whom a client gets that asks for a name of their certificate, in this order (SNI, RFC 6066 section 3), if
  // `identity` is not of that name. Whoever asks for another name, or for none, gets `identity`.
  static Result<std::shared_ptr<const Context>> server(Env& env, const Identity& identity,
                                                       std::string_view client_roots = {},
                                                       const std::vector<Identity>& others = {}, const Terms& terms = {});

  enum class Verify : std::uint8_t {
    note,     // the other side's certificate is looked at, and whatever it is, the connection stands
    require,  // one that does not check out ends the handshake
  };
  // `trusted`: certificates of roots, PEM. None: nobody can be verified, which `require` turns into no connection.
  static Result<std::shared_ptr<const Context>> client(Env& env, std::string_view trusted, Verify verify,
                                                       const Terms& terms = {});

  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Role role() const { return role_; }
  bool verifies() const { return verifies_; }
  ssl_ctx_st* native() const { return native_; }

 private:
  Context(Role role, std::shared_ptr<ossl_lib_ctx_st> library, ssl_ctx_st* native);
  struct Loaded;  // an identity, as OpenSSL has it

  static Result<std::shared_ptr<Context>> make(Env& env, Role role, const Terms& terms);
  static int choose(ssl_st* ssl, int* alert, void* context);  // by the name that the client asks for
  Result<Loaded> load(const Identity& identity) const;
  Result<void> trust(std::string_view roots);

  Role role_;
  bool verifies_ = false;  // somebody is trusted, so that a certificate can be looked at
  std::shared_ptr<ossl_lib_ctx_st> library_;
  ssl_ctx_st* native_;
  std::vector<Loaded> identities_;  // of a server; the first is for whoever asks for no other
};

}  // namespace postproof::tls
