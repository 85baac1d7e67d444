// What a simulated server does with TLS, as a value: the keys `cert` and `tls` of a peer, changed by the faults that
// stand (docs/scenarios.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/fault.h"

namespace postproof::sim {

struct ServerTls {
  bool offered = false;           // STARTTLS is among the keywords
  std::string cert = "valid";     // a word of certificate_words()
  std::string version;            // a word of version_words(): nothing else is spoken; empty: 1.2 and 1.3
  std::string cipher;             // this suite alone; empty: as the client likes
  bool hello_retry = false;       // the client's first key share is not taken (RFC 8446 section 4.1.4)
  std::uint64_t record_size = 0;  // octets of a record at the most; 0: as it comes
  enum class Answer : std::uint8_t { go, refuse, plain, inject } answer = Answer::go;  // to STARTTLS
  std::string message;  // the handshake message at which `act` strikes; empty: it does not
  enum class Act : std::uint8_t { hang, close, reset, alert } act = Act::hang;
  bool close_notify = true;
  bool tickets = false;  // sessions can be resumed, whatever has become of the certificate since (RFC 8446 section 2.2)
  std::optional<std::uint64_t>
      truncate;  // the connection ends so many octets behind the handshake, without close_notify

  bool operator==(const ServerTls&) const = default;
};

// "valid", "expired", "future", "wrong-name", "self-signed", "unknown-ca", "weak-key".
const std::vector<std::string_view>& certificate_words();
// "1.0" to "1.3".
const std::vector<std::string_view>& version_words();
// Suites as OpenSSL calls them; the last four are not taken by our MTA (RFC 9325 section 4.2). The last two want an RSA
// key, which "weak-key" has; the Diffie-Hellman group of the first of them has 1024 bits then.
const std::vector<std::string_view>& cipher_words();
// Handshake messages that a fault may strike at: what a server gets and what it sends.
const std::vector<std::string_view>& handshake_words();

// "hang", "close", "reset", "alert".
inline ServerTls::Act tls_act(std::string_view word) {
  if (word == "close") return ServerTls::Act::close;
  if (word == "reset") return ServerTls::Act::reset;
  return word == "alert" ? ServerTls::Act::alert : ServerTls::Act::hang;
}

// The keys `cert` and `tls`; `keywords` loses STARTTLS, which it too offers.
ServerTls read_server_tls(TomlReader& table, std::vector<std::string>& keywords);

}  // namespace postproof::sim
