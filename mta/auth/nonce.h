// A nonce of SCRAM (RFC 5802 section 5.1): printable, without a comma, 144 bits of randomness.
#pragma once

#include <string>

#include "mta/env/random.h"

namespace postproof::auth {

std::string make_nonce(Random& random);

}  // namespace postproof::auth
