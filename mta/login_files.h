// Fills in what logins need of the files that the configuration names, read through Env's disk.
#pragma once

#include "mta/config.h"
#include "mta/env/env.h"

namespace postproof {

// config.client.credentials. Errors name the key and the file.
Task<Result<void>> load_smarthost_login(Env& env, Config& config);

// Whether what stands behind logins can be used, for a configuration that is only checked.
Task<Result<void>> check_logins(Env& env, const Config& config);

}  // namespace postproof
