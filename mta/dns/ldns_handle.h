// Owners of what ldns, a C library, allocates. For the files that read or write DNS messages only: it
// brings in all of ldns.
#pragma once

#include <ldns/ldns.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

namespace postproof::dns {

struct LdnsFree {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
  void operator()(ldns_rr* record) const { ldns_rr_free(record); }
  void operator()(ldns_rdf* data) const { ldns_rdf_deep_free(data); }
  void operator()(char* text) const { std::free(text); }
  void operator()(std::uint8_t* octets) const { std::free(octets); }
};

using LdnsPacket = std::unique_ptr<ldns_pkt, LdnsFree>;
using LdnsRecord = std::unique_ptr<ldns_rr, LdnsFree>;
using LdnsData = std::unique_ptr<ldns_rdf, LdnsFree>;  // a field of a record: a name, an address, ...

// A name or another field as text; names with their trailing dot, in the case that they have.
inline std::string ldns_text(const ldns_rdf* data) {
  const std::unique_ptr<char, LdnsFree> text(ldns_rdf2str(data));
  return text ? std::string(text.get()) : std::string();
}

// A message as it goes on the wire; empty if ldns cannot write it.
inline std::string ldns_octets(const ldns_pkt* packet) {
  std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&octets, packet, &size) != LDNS_STATUS_OK) return {};
  const std::unique_ptr<std::uint8_t, LdnsFree> owner(octets);
  return std::string(reinterpret_cast<const char*>(octets), size);
}

}  // namespace postproof::dns
