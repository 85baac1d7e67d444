// May this client send to this recipient through us? A pure function of the policy.
#pragma once

#include <optional>

#include "mta/intake/policy.h"
#include "mta/mail/address.h"
#include "mta/smtp/intake.h"
#include "mta/smtp/reply.h"

namespace postproof::intake {

// It has logged in, or is one of those that may send to any domain.
bool trusted(const Policy& policy, const smtp::SessionInfo& session);
// Whether it is the postmaster of this host: <Postmaster>, or postmaster at our own name (RFC 5321 section 4.5.1).
bool is_own_postmaster(const Policy& policy, const Address& recipient);

// None: yes. Otherwise the reply to RCPT.
std::optional<smtp::Reply> refuse_relay(const Policy& policy, const smtp::SessionInfo& session, const Address& recipient);

}  // namespace postproof::intake
