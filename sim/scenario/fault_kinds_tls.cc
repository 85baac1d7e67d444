// Faults of a peer's TLS: for every connection that says STARTTLS while they stand.
#include "sim/scenario/fault_keys.h"
#include "sim/scenario/server_tls.h"

namespace postproof::sim {

namespace {

void read_peer_host(const FaultReading& reading, Fault& fault) {
  fault.host = reading.hosts.read(reading.table, "host", {HostKind::peer}).value_or("");
}
void read_cert(const FaultReading& reading, Fault& fault) {
  fault.cert = reading.table.word("cert", certificate_words()).value_or("valid");
}
void read_message(const FaultReading& reading, Fault& fault) {
  fault.message = reading.table.word("at", handshake_words()).value_or("");
}
void read_alert_message(const FaultReading& reading, Fault& fault) {
  // Behind ServerHello of TLS 1.3 an alert would have to be encrypted.
  fault.message = reading.table.word("at", {"ClientHello", "ServerHello"}).value_or("");
}
void read_version(const FaultReading& reading, Fault& fault) {
  fault.version = reading.table.word("version", version_words()).value_or("");
}
void read_cipher(const FaultReading& reading, Fault& fault) {
  fault.cipher = reading.table.word("cipher", cipher_words()).value_or("");
}
void read_record_size(const FaultReading& reading, Fault& fault) {
  fault.record_size = static_cast<std::uint64_t>(reading.table.integer("size", 512, 16'384).value_or(512));
}
void read_octet(const FaultReading& reading, Fault& fault) {
  if (const auto octet = reading.table.integer("octet", 0, 1'000'000'000)) fault.octet = *octet;
}

constexpr FaultKey kPeer{"host", read_peer_host};

}  // namespace

std::vector<FaultKind> tls_fault_kinds() {
  std::vector<FaultKind> kinds;
  for (const std::string_view name :
       {"tls.not-offered", "tls.refuse", "tls.plaintext", "tls.inject", "tls.expired", "tls.future", "tls.wrong-name",
        "tls.self-signed", "tls.unknown-ca", "tls.weak-key", "tls.hello-retry", "tls.no-close-notify"}) {
    kinds.push_back(FaultKind{name, {kPeer}, {kFor}});
  }
  for (const std::string_view name : {"tls.hang", "tls.close", "tls.reset"}) {
    kinds.push_back(FaultKind{name, {kPeer, {"at", read_message}}, {kFor}});
  }
  kinds.push_back(FaultKind{"tls.alert", {kPeer, {"at", read_alert_message}}, {kFor}});
  kinds.push_back(FaultKind{"tls.certificate", {kPeer, {"cert", read_cert}}, {kFor}});
  kinds.push_back(FaultKind{"tls.version", {kPeer, {"version", read_version}}, {kFor}});
  kinds.push_back(FaultKind{"tls.cipher", {kPeer, {"cipher", read_cipher}}, {kFor}});
  kinds.push_back(FaultKind{"tls.record-size", {kPeer, {"size", read_record_size}}, {kFor}});
  kinds.push_back(FaultKind{"tls.truncate", {kPeer}, {{"octet", read_octet}, kFor}});
  return kinds;
}

}  // namespace postproof::sim
