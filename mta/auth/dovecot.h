// Dovecot's authentication server as what stands behind logins: its client protocol, version 1.1, over a Unix socket
// (https://doc.dovecot.org, "Authentication Protocol"). The exchange is passed through, step by step; users, hashes,
// authorization identities and delays are Dovecot's.
//
// Each exchange has a connection of its own, which ends with it. What Dovecot says is bounded in octets and in time; no
// socket, no answer, or an answer that is none refuses for now.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mta/auth/exchange.h"
#include "mta/env/env.h"

namespace postproof::auth {

class Dovecot final : public Verifier {
 public:
  Dovecot(Env& env, std::string socket);

  // What Dovecot may have; whether this one does shows when it is asked. Bindings to the channel are not part of its
  // protocol.
  std::vector<Mechanism> mechanisms() const override;
  std::unique_ptr<Exchange> begin(Mechanism mechanism, const Channel& channel, bool plus_offered) override;

 private:
  Env& env_;
  std::string socket_;
  std::unique_ptr<Random> random_;  // Dovecot wants to tell its clients apart by a number
};

}  // namespace postproof::auth
