// Logging in as a client: PLAIN, LOGIN and SCRAM-SHA-256, step by step.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/auth/credentials.h"
#include "mta/auth/mechanism.h"
#include "mta/env/env.h"

namespace postproof::auth {

class ClientExchange {
 public:
  virtual ~ClientExchange() = default;

  // What is said along with the command; none: nothing.
  virtual std::optional<std::string> initial() = 0;
  // Errc::protocol: the server goes on where nothing is to come, or does not fit what was said; the exchange is to be
  // cancelled. Errc::closed: the world goes away.
  virtual Task<Result<std::string>> answer(std::string challenge) = 0;
  // The server says that it is done. Errc::protocol: before it has shown what it had to.
  virtual Result<void> finish() const = 0;
};

// The strongest of what a server offers, by its words in EHLO; none: nothing that we speak.
std::optional<Mechanism> choose_mechanism(const std::vector<std::string>& offered);
// `mechanism`: one that choose_mechanism gives.
std::unique_ptr<ClientExchange> begin_as_client(Env& env, Mechanism mechanism, const Credentials& credentials);

}  // namespace postproof::auth
