#include "mta/tls/context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <iterator>

#include "mta/tls/handle.h"

namespace postproof::tls {

namespace {

constexpr int kSecurityLevel = 2;  // of others' certificates: 112 bits (RFC 9325 section 4.5)

// Of a stack that does not own what lies on it.
struct FreeStack {
  void operator()(STACK_OF(X509)* stack) const { sk_X509_free(stack); }
};
using ChainHandle = std::unique_ptr<STACK_OF(X509), FreeStack>;

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

struct Context::Loaded {
  CertificateHandle certificate;
  std::vector<CertificateHandle> chain;  // above it
  KeyHandle key;
};

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

Result<std::shared_ptr<Context>> Context::make(Env& env, Role role, const Terms& terms) {
  auto library = env.tls.library();
  ERR_clear_error();
  const SSL_METHOD* method = role == Role::server ? TLS_server_method() : TLS_client_method();
  SSL_CTX* native = SSL_CTX_new_ex(library.get(), nullptr, method);
  if (native == nullptr) return invalid("no TLS");
  std::shared_ptr<Context> context(new Context(role, std::move(library), native));
  if (SSL_CTX_set_min_proto_version(native, terms.tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(native, TLS1_3_VERSION) != 1) {
    return invalid("TLS 1.2 and 1.3 are not to be had");
  }
  if (SSL_CTX_set_cipher_list(native, terms.ciphers.c_str()) != 1) {
    return invalid(fmt::format("ciphers: no cipher of TLS 1.2 in \"{}\"; expected a list as \"openssl ciphers\" takes it",
                               terms.ciphers));
  }
  if (terms.suites.empty() || SSL_CTX_set_ciphersuites(native, terms.suites.c_str()) != 1) {
    return invalid(fmt::format("suites: \"{}\" are no suites of TLS 1.3; expected names like TLS_AES_256_GCM_SHA384 with "
                               "colons between", terms.suites));
  }
  if (SSL_CTX_set1_groups_list(native, terms.groups.c_str()) != 1) {
    return invalid(fmt::format("groups: \"{}\" are no groups; expected names like X25519 with colons between", terms.groups));
  }
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

Result<Context::Loaded> Context::load(const Identity& identity) const {
  auto chain = read_certificates(library_.get(), identity.chain);
  if (!chain) return std::unexpected(std::move(chain.error()));
  if (chain->empty()) return invalid("no certificate is there; expected PEM, our own certificate first");
  const BioHandle text = reading(identity.key);
  Loaded loaded;
  loaded.key.reset(PEM_read_bio_PrivateKey_ex(text.get(), nullptr, &no_passphrase, nullptr, library_.get(), nullptr));
  if (!loaded.key) return invalid("no private key is there; expected PEM, not encrypted");
  loaded.certificate = std::move(chain->front());
  loaded.chain.assign(std::move_iterator(chain->begin() + 1), std::move_iterator(chain->end()));
  if (X509_check_private_key(loaded.certificate.get(), loaded.key.get()) != 1) {
    return invalid("the private key is not the certificate's");
  }
  return loaded;
}

int Context::choose(ssl_st* ssl, int*, void* context) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  for (const Loaded& one : static_cast<const Context*>(context)->identities_) {
    if (X509_check_host(one.certificate.get(), name, 0, 0, nullptr) != 1) continue;
    SSL_certs_clear(ssl);  // or a key of another kind would still be there to choose
    const ChainHandle chain(sk_X509_new_null());
    for (const CertificateHandle& above : one.chain) sk_X509_push(chain.get(), above.get());
    const bool used = SSL_use_cert_and_key(ssl, one.certificate.get(), one.key.get(), chain.get(), 1) == 1;
    return used ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

Result<std::shared_ptr<const Context>> Context::server(Env& env, const Identity& identity, std::string_view client_roots,
                                                       const std::vector<Identity>& others, const Terms& terms) {
  auto context = make(env, Role::server, terms);
  if (!context) return std::unexpected(std::move(context.error()));
  SSL_CTX* native = (*context)->native_;
  // What is weak in our own certificate is for others to refuse.
  SSL_CTX_set_security_level(native, 0);
  auto& identities = (*context)->identities_;
  std::vector<const Identity*> all = {&identity};
  for (const Identity& other : others) all.push_back(&other);
  for (const Identity* one : all) {
    auto loaded = (*context)->load(*one);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    identities.push_back(std::move(*loaded));
  }
  const Loaded& own = identities.front();
  if (SSL_CTX_use_certificate(native, own.certificate.get()) != 1) return invalid("the certificate cannot be used");
  for (const CertificateHandle& above : own.chain) {
    if (SSL_CTX_add1_chain_cert(native, above.get()) != 1) return invalid("the chain cannot be used");
  }
  if (SSL_CTX_use_PrivateKey(native, own.key.get()) != 1) return invalid("the private key cannot be used");
  if (identities.size() > 1) {
    SSL_CTX_set_tlsext_servername_callback(native, &Context::choose);
    SSL_CTX_set_tlsext_servername_arg(native, context->get());
  }
  auto trusted = (*context)->trust(client_roots);
  if (!trusted) return std::unexpected(std::move(trusted.error()));
  if ((*context)->verifies_) SSL_CTX_set_verify(native, SSL_VERIFY_PEER, &look_and_go_on);
  return *context;
}

Result<std::shared_ptr<const Context>> Context::client(Env& env, std::string_view trusted, Verify verify,
                                                       const Terms& terms) {
  auto context = make(env, Role::client, terms);
  if (!context) return std::unexpected(std::move(context.error()));
  SSL_CTX* native = (*context)->native_;
  SSL_CTX_set_security_level(native, kSecurityLevel);
  auto roots = (*context)->trust(trusted);
  if (!roots) return std::unexpected(std::move(roots.error()));
  SSL_CTX_set_verify(native, verify == Verify::require ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return *context;
}

}  // namespace postproof::tls
