#include "mta/base/result.h"

namespace postproof {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::closed: return "closed";
    case Errc::timed_out: return "timed out";
    case Errc::refused: return "connection refused";
    case Errc::unreachable: return "unreachable";
    case Errc::reset: return "connection reset";
    case Errc::unexpected_eof: return "connection closed by peer";
    case Errc::protocol: return "protocol error";
    case Errc::too_large: return "too large";
    case Errc::invalid: return "invalid";
    case Errc::not_found: return "not found";
    case Errc::already_exists: return "already exists";
    case Errc::in_use: return "in use";
    case Errc::permission: return "permission denied";
    case Errc::no_space: return "no space left";
    case Errc::io: return "input/output error";
    case Errc::poisoned: return "poisoned by a failed sync";
    case Errc::corrupt: return "corrupt";
    case Errc::wrong_version: return "wrong version";
    case Errc::dns_no_such_domain: return "no such domain";
    case Errc::dns_no_data: return "no mail host";
    case Errc::dns_null_mx: return "domain accepts no mail";
    case Errc::dns_no_usable_mx: return "no usable mail host";
    case Errc::dns_self_mx: return "mail loops back to this host";
    case Errc::dns_temporary: return "temporary DNS failure";
  }
  return "unknown";
}

}  // namespace postproof
