// May a client that has logged in send as this sender? A pure function of the policy.
#pragma once

#include <optional>
#include <string>

#include "mta/intake/policy.h"
#include "mta/mail/address.h"
#include "mta/smtp/reply.h"

namespace postproof::intake {

// None: yes. Otherwise the reply to MAIL. The null sender is everybody's: a notification has no other (RFC 8098).
std::optional<smtp::Reply> refuse_sender(const Policy& policy, const std::string& login, const ReversePath& sender);

}  // namespace postproof::intake
