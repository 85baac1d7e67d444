#include "mta/intake/relay.h"

#include <algorithm>

#include "mta/base/text.h"
#include "mta/smtp/client_networks.h"

namespace postproof::intake {

namespace {

bool relayed_domain(const Policy& policy, const Address& recipient) {
  const std::string domain = recipient.domain_key();
  return std::any_of(policy.relay_domains.begin(), policy.relay_domains.end(),
                     [&](const std::string& known) { return known == "*" || known == domain; });
}

}  // namespace

bool trusted(const Policy& policy, const smtp::SessionInfo& session) {
  if (!session.login.empty()) return true;
  const Endpoint& client = session.peer;
  if (client.kind() != Endpoint::Kind::ip) return true;  // a Unix socket: whoever may open it
  return smtp::is_within(client, policy.relay_clients);
}

bool is_own_postmaster(const Policy& policy, const Address& recipient) {
  if (!equal_ignoring_case(recipient.local_part, "postmaster")) return false;
  return recipient.domain.empty() || recipient.domain_key() == ascii_lower(policy.hostname);
}

std::optional<smtp::Reply> refuse_relay(const Policy& policy, const smtp::SessionInfo& session, const Address& recipient) {
  // RFC 5321 section 4.5.1: mail for our own postmaster is taken from anyone. Where nobody reads it, it is refused: it
  // could only come back to us, and be reported to whoever the client claims to be.
  if (is_own_postmaster(policy, recipient) && policy.postmaster) return std::nullopt;
  if (recipient.domain.empty()) return smtp::Reply::of(550, "5.1.1", "nobody reads the mail of this host's postmaster");
  if (trusted(policy, session)) return std::nullopt;
  if (!relayed_domain(policy, recipient)) {
    return smtp::Reply::of(550, "5.7.1", "relaying to <" + recipient.to_string() + "> is not permitted");
  }
  // "user%elsewhere@ours", "elsewhere!user@ours", "\"user@elsewhere\"@ours": a host behind us may read a
  // route in it, which would make an open relay of the two of us.
  if (recipient.local_part.find_first_of("%!@") != std::string::npos) {
    return smtp::Reply::of(550, "5.7.1", "routed addresses are not permitted");
  }
  return std::nullopt;
}

}  // namespace postproof::intake
