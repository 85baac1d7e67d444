#include "mta/tls/context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "mta/tls/handle.h"

namespace postproof::tls {

namespace {

constexpr const char* kSuites12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kSuites13 = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr int kSecurityLevel = 2;  // of others' certificates: 112 bits (RFC 9325 section 4.5)

BioHandle reading(std::string_view text) {
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Refuses to ask anybody for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) { return -1; }

// What is wrong with a client's certificate stands in the connection's verify result.
int look_and_go_on(int, X509_STORE_CTX*) { return 1; }

std::unexpected<Error> invalid(std::string what) {
  const std::string reason = take_error();
  return fail(Errc::invalid, reason.empty() ? std::move(what) : fmt::format("{}: {}", what, reason));
}

// Every certificate of a PEM text.
Result<std::vector<CertificateHandle>> read_certificates(ossl_lib_ctx_st* library, std::string_view pem) {
  ERR_clear_error();
  std::vector<CertificateHandle> list;
  const BioHandle text = reading(pem);
  for (;;) {
    X509* blank = X509_new_ex(library, nullptr);
    X509* read = PEM_read_bio_X509(text.get(), &blank, &no_passphrase, nullptr);
    if (read == nullptr) {
      X509_free(blank);
      break;
    }
    list.emplace_back(read);
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end) return invalid("a certificate that cannot be read");
  ERR_clear_error();
  return list;
}

}  // namespace

std::string take_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return {};
  const char* reason = ERR_reason_error_string(error);
  return reason == nullptr ? fmt::format("error {:x}", error) : reason;
}

Context::Context(Role role, std::shared_ptr<ossl_lib_ctx_st> library, ssl_ctx_st* native)
    : role_(role), library_(std::move(library)), native_(native) {}

Context::~Context() { SSL_CTX_free(native_); }

Result<std::shared_ptr<Context>> Context::make(Env& env, Role role) {
  auto library = env.tls.library();
  ERR_clear_error();
  const SSL_METHOD* method = role == Role::server ? TLS_server_method() : TLS_client_method();
  SSL_CTX* native = SSL_CTX_new_ex(library.get(), nullptr, method);
  if (native == nullptr) return invalid("no TLS");
  std::shared_ptr<Context> context(new Context(role, std::move(library), native));
  const bool set = SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set_max_proto_version(native, TLS1_3_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(native, kSuites12) == 1 &&
                   SSL_CTX_set_ciphersuites(native, kSuites13) == 1 && SSL_CTX_set1_groups_list(native, kGroups) == 1;
  if (!set) return invalid("TLS as RFC 9325 wants it is not to be had");
  // Nothing of one connection is kept for another: no tickets, no cache.
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

// Fills in verifies_.
Result<void> Context::trust(std::string_view roots) {
  auto certificates = read_certificates(library_.get(), roots);
  if (!certificates) return std::unexpected(std::move(certificates.error()));
  X509_STORE* store = SSL_CTX_get_cert_store(native_);
  for (const CertificateHandle& root : *certificates) {
    X509_STORE_add_cert(store, root.get());
    // RFC 8446 section 4.2.4: a server says whose certificates it can look at.
    if (role_ == Role::server) SSL_CTX_add_client_CA(native_, root.get());
  }
  verifies_ = !certificates->empty();
  return {};
}

Result<std::shared_ptr<const Context>> Context::server(Env& env, const Identity& identity,
                                                       std::string_view client_roots) {
  auto context = make(env, Role::server);
  if (!context) return std::unexpected(std::move(context.error()));
  SSL_CTX* native = (*context)->native_;
  auto chain = read_certificates((*context)->library_.get(), identity.chain);
  if (!chain) return std::unexpected(std::move(chain.error()));
  if (chain->empty()) return invalid("no certificate is there; expected PEM, our own certificate first");
  const BioHandle key_text = reading(identity.key);
  const KeyHandle key(PEM_read_bio_PrivateKey_ex(key_text.get(), nullptr, &no_passphrase, nullptr,
                                                 (*context)->library_.get(), nullptr));
  if (!key) return invalid("no private key is there; expected PEM, not encrypted");
  // What is weak in our own certificate is for others to refuse.
  SSL_CTX_set_security_level(native, 0);
  if (SSL_CTX_use_certificate(native, chain->front().get()) != 1) return invalid("the certificate cannot be used");
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(native, (*chain)[i].get()) != 1) return invalid("the chain cannot be used");
  }
  if (SSL_CTX_use_PrivateKey(native, key.get()) != 1 || SSL_CTX_check_private_key(native) != 1) {
    return invalid("the private key is not the certificate's");
  }
  auto trusted = (*context)->trust(client_roots);
  if (!trusted) return std::unexpected(std::move(trusted.error()));
  if ((*context)->verifies_) SSL_CTX_set_verify(native, SSL_VERIFY_PEER, &look_and_go_on);
  return *context;
}

Result<std::shared_ptr<const Context>> Context::client(Env& env, std::string_view trusted, Verify verify) {
  auto context = make(env, Role::client);
  if (!context) return std::unexpected(std::move(context.error()));
  SSL_CTX* native = (*context)->native_;
  SSL_CTX_set_security_level(native, kSecurityLevel);
  auto roots = (*context)->trust(trusted);
  if (!roots) return std::unexpected(std::move(roots.error()));
  SSL_CTX_set_verify(native, verify == Verify::require ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return *context;
}

}  // namespace postproof::tls
