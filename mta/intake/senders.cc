#include "mta/intake/senders.h"

#include <algorithm>

#include "mta/base/text.h"

namespace postproof::intake {

namespace {

// RFC 5321 section 2.4: only the domain's case is without meaning; but no mail system that has two mailboxes by case is
// known, and people write their own address as they like.
bool covers(const std::string& allowed, const Address& sender) {
  if (allowed.starts_with('@')) return equal_ignoring_case(std::string_view(allowed).substr(1), sender.domain_key());
  return equal_ignoring_case(allowed, sender.to_string());
}

}  // namespace

std::optional<smtp::Reply> refuse_sender(const Policy& policy, const std::string& login, const ReversePath& sender) {
  if (policy.senders == Senders::any || !sender || equal_ignoring_case(login, sender->to_string())) return std::nullopt;
  const auto listed = policy.sender_login.find(login);
  if (listed != policy.sender_login.end() &&
      std::any_of(listed->second.begin(), listed->second.end(), [&](const std::string& one) { return covers(one, *sender); })) {
    return std::nullopt;
  }
  return smtp::Reply::of(553, "5.7.1", "<" + sender->to_string() + "> is not yours to send from");
}

}  // namespace postproof::intake
