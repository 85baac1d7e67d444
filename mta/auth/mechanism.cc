#include "mta/auth/mechanism.h"

#include "mta/base/text.h"

namespace postproof::auth {

std::string_view to_string(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::scram_sha_256_plus: return "SCRAM-SHA-256-PLUS";
    case Mechanism::scram_sha_256: return "SCRAM-SHA-256";
    case Mechanism::external: return "EXTERNAL";
    case Mechanism::plain: return "PLAIN";
    case Mechanism::login: return "LOGIN";
  }
  return "unknown";
}

std::optional<Mechanism> parse_mechanism(std::string_view name) {
  for (const Mechanism mechanism : all_mechanisms()) {
    if (equal_ignoring_case(name, to_string(mechanism))) return mechanism;
  }
  return std::nullopt;
}

const std::vector<Mechanism>& all_mechanisms() {
  static const std::vector<Mechanism> all = {Mechanism::scram_sha_256_plus, Mechanism::scram_sha_256,
                                             Mechanism::external, Mechanism::plain, Mechanism::login};
  return all;
}

}  // namespace postproof::auth
