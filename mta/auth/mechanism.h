// The SASL mechanisms that we speak (RFC 4422), by their registered names.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postproof::auth {

enum class Mechanism : std::uint8_t {
  scram_sha_256_plus,  // RFC 7677, bound to the TLS connection
  scram_sha_256,       // RFC 7677
  external,            // RFC 4422 appendix A: the client certificate says who it is
  plain,               // RFC 4616
  login,               // draft-murchison-sasl-login: as PLAIN, in two answers
};

std::string_view to_string(Mechanism mechanism);
// In any case of letters; none: not one of ours.
std::optional<Mechanism> parse_mechanism(std::string_view name);
// All of them, the stronger first: the order in which they are offered.
const std::vector<Mechanism>& all_mechanisms();

}  // namespace postproof::auth
