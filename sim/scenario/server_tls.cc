#include "sim/scenario/server_tls.h"

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

void read_terms(TomlReader table, ServerTls& tls) {
  tls.version = table.word("version", version_words()).value_or("");
  tls.cipher = table.word("cipher", cipher_words()).value_or("");
  tls.hello_retry = table.boolean("hello_retry").value_or(false);
  tls.record_size = static_cast<std::uint64_t>(table.integer("record_size", 512, 16'384).value_or(0));
  tls.close_notify = table.boolean("close_notify").value_or(true);
  tls.tickets = table.boolean("tickets").value_or(false);
  if (const auto message = table.word("at", handshake_words())) tls.message = *message;
  if (const auto act = table.word("act", {"hang", "close", "reset", "alert"})) tls.act = tls_act(*act);
  if (table.has("at") != table.has("act")) {
    table.complain(table.has("at") ? "at" : "act",
                   "expected both or none: \"at\" a message, and what \"act\" does there");
  }
  table.finish();
}

}  // namespace

const std::vector<std::string_view>& certificate_words() {
  static const std::vector<std::string_view> words = {"valid",       "expired",    "future",  "wrong-name",
                                                      "self-signed", "unknown-ca", "weak-key"};
  return words;
}

const std::vector<std::string_view>& version_words() {
  static const std::vector<std::string_view> words = {"1.0", "1.1", "1.2", "1.3"};
  return words;
}

const std::vector<std::string_view>& cipher_words() {
  static const std::vector<std::string_view> words = {"TLS_AES_256_GCM_SHA384",        "TLS_AES_128_GCM_SHA256",
                                                      "TLS_CHACHA20_POLY1305_SHA256",  "ECDHE-ECDSA-AES256-GCM-SHA384",
                                                      "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
                                                      "ECDHE-ECDSA-AES256-SHA384",     "ECDHE-ECDSA-AES128-SHA",
                                                      "DHE-RSA-AES128-GCM-SHA256",     "AES128-SHA"};
  return words;
}

const std::vector<std::string_view>& handshake_words() {
  static const std::vector<std::string_view> words = {"ClientHello",     "ServerHello",       "EncryptedExtensions",
                                                      "Certificate",     "ServerKeyExchange", "CertificateVerify",
                                                      "ServerHelloDone", "ClientKeyExchange", "Finished"};
  return words;
}

ServerTls read_server_tls(TomlReader& table, std::vector<std::string>& keywords) {
  ServerTls tls;
  const auto is_starttls = [](const std::string& keyword) { return equal_ignoring_case(keyword, "STARTTLS"); };
  tls.offered = table.has("cert") || table.has("tls") || std::erase_if(keywords, is_starttls) > 0;
  if (const auto cert = table.word("cert", certificate_words())) tls.cert = *cert;
  if (auto terms = table.table("tls")) read_terms(*terms, tls);
  return tls;
}

}  // namespace postproof::sim
