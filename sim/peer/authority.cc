#include "sim/peer/authority.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "mta/base/check.h"
#include "mta/tls/handle.h"

namespace postproof::sim {

namespace {

using tls::BioHandle;
using tls::CertificateHandle;
using tls::KeyHandle;

// RSA of 1024 bits, which nobody should take. Fixed: to make one takes longer than most scenarios.
constexpr const char* kWeakKey = R"(-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAKw7IWZjiMJguwBK
JtpltggA/THqbYeN1OxULsqu7x7tbdm1piyhuEwJEPlyVafj1G4NFbzX3O4H7XeT
Ul+I3YjnBpKdGjdHAu84U5NHSvvRSzJj9y1q2TI2OQJzI/IPzvuxJ6KwQ4bpDYn6
PpIclzTWBu/yzR0JUZT6NoZOxS4DAgMBAAECgYAK+tIMRvgm/CevwwprDeTm6bk6
f2lwJNiYIF3DShewbw57vJrVaZHoNwPAA0v2og2e3nKuUUyiWBsJbnjn4j/NKbao
kBc5CLa6zafmacjQJCrHwO4JOX6Y7rV8h9SKGZevnq1/gKhOu3yG1yi9TYMuJOK3
/eIDlvOqU2AzDPvsgQJBANUamZT/TzmSzoaxpiZYGTEahkyp7ckC9zyQXhjogFSA
/8qKebs9Uwg/WS3ejavvR9vrcpHjSyrNV0owsTBoLCECQQDO5lGWRbqXcKXBhT8C
XAjsPDJMIduKUZvUYP+xDV75U4v+UchhfVr7sETqTVyogfUPn2s0bbZcDM1e/Lzn
hnWjAkAMFvQ7lbhi5cc9sPpiFoFnXb/cvY815issjmwoMZiGMsNQNEbvrmz1fNKM
XaHf7TVAbr0TNbff98JJ/TUwL9jBAkEAoHxQ3sJZmOx89l434Mmo9i0/SoScuW7R
8+wFib14ZOdkWLHxP4Wv1DkHS8MUU3TytNqQmotbf41CpCJhGSnYBwJASgJeOD2k
3gYJNGUatpGFFHCBtmvsEsvvWFV8H7RgS1jamRmg04uWIxXG3n66wacYlpg/JPW4
yMpSpQEUNUGd2w==
-----END PRIVATE KEY-----
)";

constexpr Duration kLong = std::chrono::hours{24 * 3650};
constexpr Duration kDay = std::chrono::hours{24};

KeyHandle new_key(Env& env) {
  KeyHandle key(EVP_PKEY_Q_keygen(env.tls.library().get(), nullptr, "EC", "P-256"));
  PP_CHECK(key != nullptr, "no key to be had");
  return key;
}

KeyHandle weak_key(Env& env) {
  const BioHandle text(BIO_new_mem_buf(kWeakKey, -1));
  KeyHandle key(PEM_read_bio_PrivateKey_ex(text.get(), nullptr, nullptr, nullptr, env.tls.library().get(), nullptr));
  PP_CHECK(key != nullptr, "the fixed key cannot be read");
  return key;
}

std::string written(const std::function<int(BIO*)>& write) {
  const BioHandle text(BIO_new(BIO_s_mem()));
  PP_CHECK(write(text.get()) == 1, "PEM cannot be written");
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}
std::string pem_of(X509* certificate) {
  return written([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}
std::string pem_of(EVP_PKEY* key) {
  return written(
      [&](BIO* out) { return PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  PP_CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "a certificate's extension");
  X509_EXTENSION_free(extension);
}

void set_time(ASN1_TIME* field, WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  PP_CHECK(ASN1_TIME_set(field, seconds) != nullptr, "a certificate's time");
}

// Everything but issuer and signature.
CertificateHandle draft(Env& env, long serial, const std::string& name, EVP_PKEY* key, WallTime from, WallTime until) {
  CertificateHandle certificate(X509_new_ex(env.tls.library().get(), nullptr));
  PP_CHECK(certificate != nullptr, "no memory for a certificate");
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  set_time(X509_getm_notBefore(certificate.get()), from);
  set_time(X509_getm_notAfter(certificate.get()), until);
  X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  PP_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0, "a certificate cannot be signed");
}

}  // namespace

struct Authority::Issuer {
  KeyHandle key;
  CertificateHandle certificate;
  std::shared_ptr<ossl_lib_ctx_st> library;  // theirs
};

Authority::Authority() = default;
Authority::~Authority() = default;

Authority::Issuer& Authority::issuer(Env& env, std::unique_ptr<Issuer>& place, const char* name) {
  if (place) return *place;
  place = std::make_unique<Issuer>();
  place->library = env.tls.library();
  place->key = new_key(env);
  const WallTime now = env.clock.now();
  place->certificate = draft(env, serial_++, name, place->key.get(), now - kLong, now + kLong);
  add_extension(place->certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(place->certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  sign(place->certificate.get(), place->certificate.get(), place->key.get());
  return *place;
}

std::string Authority::root(Env& env) { return pem_of(issuer(env, trusted_, "Simulated Root").certificate.get()); }

const tls::Identity& Authority::identity(Env& env, const std::string& kind, const std::vector<std::string>& names,
                                         const std::vector<IpAddress>& addresses) {
  auto [at, fresh] = made_.try_emplace({kind, names.front()});
  if (!fresh) return at->second;
  // The root's key is drawn first whatever the kind, so that one server's does not depend on another's.
  Issuer& trusted = issuer(env, trusted_, "Simulated Root");
  const WallTime now = env.clock.now();
  const WallTime from = kind == "future" ? now + 30 * kDay : now - kLong;
  const WallTime until = kind == "expired" ? now - kDay : now + kLong;
  const KeyHandle key = kind == "weak-key" ? weak_key(env) : new_key(env);
  const std::string name = kind == "wrong-name" ? "another.example" : names.front();
  const CertificateHandle certificate = draft(env, serial_++, name, key.get(), from, until);
  std::string alternatives = "DNS:" + name;
  if (kind != "wrong-name") {
    for (std::size_t i = 1; i < names.size(); ++i) alternatives += ",DNS:" + names[i];
    for (const IpAddress& address : addresses) alternatives += ",IP:" + address.to_string();
  }
  add_extension(certificate.get(), NID_subject_alt_name, alternatives);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
  if (kind == "self-signed") {
    sign(certificate.get(), certificate.get(), key.get());
  } else {
    const Issuer& by = kind == "unknown-ca" ? issuer(env, unknown_, "Unknown Root") : trusted;
    sign(certificate.get(), by.certificate.get(), by.key.get());
  }
  at->second.chain = pem_of(certificate.get());
  at->second.key = pem_of(key.get());
  return at->second;
}

}  // namespace postproof::sim
