// How well protected mail must be on its way to a destination. A pure function of the configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postproof::tls {

enum class Level : std::uint8_t {
  none,
  may,      // where the other side can (RFC 7435)
  require,  // no mail without it
  verify,   // of clients: and none to a server whose certificate does not check out
};

std::string_view to_string(Level level);                  // "verify"
std::optional<Level> parse_level(std::string_view word);

struct Rule {
  std::vector<std::string> domains;  // "bank.example", or "*.bank.example" for all below it; lower case
  Level level = Level::may;
};

struct Policy {
  Level level = Level::may;  // where no rule fits
  std::vector<Rule> rules;   // the first that fits holds

  // Of a recipient's domain, or of the smarthost's name; lower case, "[192.0.2.1]" for an address.
  Level of(std::string_view domain) const;
  // Whether some destination has it.
  bool uses(Level level) const;
};

}  // namespace postproof::tls
