#include "mta/tls/identity_of.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "mta/tls/handle.h"

namespace postproof::tls {

namespace {

constexpr std::string_view kExporterLabel = "EXPORTER-Channel-Binding";
constexpr std::size_t kExporterSize = 32;

using NamesHandle = std::unique_ptr<GENERAL_NAMES, FreeBy<&GENERAL_NAMES_free>>;

void add(std::vector<std::string>& names, const unsigned char* octets, int size) {
  const std::string name(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(std::max(size, 0)));
  if (name.empty() || name.find('\0') != std::string::npos) return;
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

void add_alternatives(std::vector<std::string>& names, const GENERAL_NAMES* alternatives, int type) {
  const int count = alternatives == nullptr ? 0 : sk_GENERAL_NAME_num(alternatives);
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type != type) continue;
    add(names, ASN1_STRING_get0_data(name->d.ia5), ASN1_STRING_length(name->d.ia5));
  }
}

void add_common_names(std::vector<std::string>& names, const X509_NAME* subject) {
  for (int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size > 0) add(names, utf8, size);
    OPENSSL_free(utf8);
  }
}

}  // namespace

std::string exported_binding(SSL* ssl) {
  if (SSL_version(ssl) < TLS1_3_VERSION) return {};
  std::string octets(kExporterSize, '\0');
  const int done = SSL_export_keying_material(ssl, reinterpret_cast<unsigned char*>(octets.data()), octets.size(),
                                              kExporterLabel.data(), kExporterLabel.size(), nullptr, 0, 0);
  return done == 1 ? octets : std::string();
}

std::string certificate_binding(const X509* certificate) {
  int digest = NID_undef;
  if (certificate == nullptr) return {};
  if (X509_get_signature_info(const_cast<X509*>(certificate), &digest, nullptr, nullptr, nullptr) != 1) return {};
  if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
  const EVP_MD* function = digest == NID_undef ? nullptr : EVP_get_digestbynid(digest);
  if (function == nullptr) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned size = 0;
  if (X509_digest(certificate, function, octets.data(), &size) != 1) return {};
  return std::string(reinterpret_cast<const char*>(octets.data()), size);
}

std::vector<std::string> subject_names(const X509* certificate) {
  std::vector<std::string> names;
  const NamesHandle alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  add_alternatives(names, alternatives.get(), GEN_EMAIL);
  add_common_names(names, X509_get_subject_name(certificate));
  add_alternatives(names, alternatives.get(), GEN_DNS);
  return names;
}

}  // namespace postproof::tls
