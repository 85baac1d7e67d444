// Makes what SMTP sessions need of TLS from the files that the configuration names, read through Env's disk.
#pragma once

#include "mta/config.h"
#include "mta/env/env.h"

namespace postproof {

// Our server's, from its files as they are now. The configuration names a certificate.
Task<Result<std::shared_ptr<const tls::Context>>> load_server_tls(Env& env, const TlsSettings& settings);

// Fills in the contexts of config.server and config.client. Errors name the key and the file.
Task<Result<void>> load_tls(Env& env, Config& config);

}  // namespace postproof
