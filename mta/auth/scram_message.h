// The messages of SCRAM (RFC 5802 sections 5.1 and 7) as values. No I/O, no keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postproof::auth {

struct ScramClientFirst {
  char binding = 'n';        // 'n': cannot; 'y': could, and thinks that the server cannot; 'p': does
  std::string binding_name;  // of 'p': "tls-exporter"
  std::string authzid;
  std::string gs2_header;  // as it came: "p=tls-exporter,,"
  std::string user;
  std::string nonce;
  std::string bare;  // what stands behind the header
};
std::optional<ScramClientFirst> parse_client_first(std::string_view message);

struct ScramServerFirst {
  std::string nonce;
  std::string salt;
  std::uint64_t iterations = 0;
};
std::optional<ScramServerFirst> parse_server_first(std::string_view message);

struct ScramClientFinal {
  std::string binding;  // decoded: the header, and the channel's data behind it
  std::string nonce;
  std::string proof;          // decoded
  std::string without_proof;  // as it came
};
std::optional<ScramClientFinal> parse_client_final(std::string_view message);

// The server's signature, decoded; none: an error ("e=..."), or not such a message.
std::optional<std::string> parse_server_final(std::string_view message);

// A name as it stands in a message: "," and "=" written "=2C" and "=3D".
std::string scram_name(std::string_view name);

}  // namespace postproof::auth
