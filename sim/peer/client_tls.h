// A simulated client's side of TLS: it takes any certificate. Over Env& alone.
#pragma once

#include <string>
#include <string_view>

#include "sim/peer/server.h"

namespace postproof::sim {

struct ClientTls {
  std::string server_name{};  // for SNI; empty: none
  std::string version{};      // as of limit_tls
  std::string cipher{};
};

// Puts TLS over the connection and shakes hands. `buffered` as of tls::Stream.
Task<Result<void>> secure_as_client(Served& connection, std::string_view buffered, ClientTls terms, Deadline deadline);

}  // namespace postproof::sim
