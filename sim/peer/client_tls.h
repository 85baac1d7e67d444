// A simulated client's side of TLS: it takes any certificate. Over Env& alone.
#pragma once

#include <string>
#include <string_view>

#include "sim/peer/server.h"

namespace postproof::sim {

// Puts TLS over the connection and shakes hands. `buffered` as of tls::Stream; `server_name` may be empty.
Task<Result<void>> secure_as_client(Served& connection, std::string_view buffered, std::string server_name,
                                    Deadline deadline);

}  // namespace postproof::sim
