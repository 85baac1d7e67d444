// Logins as an SMTP server session asks for them: what may be offered over this connection, an exchange of a mechanism,
// and the failures so far. Stands on one backend, or none: EXTERNAL needs none. One for each session Env.
#pragma once

#include <expected>
#include <memory>
#include <string_view>
#include <vector>

#include "mta/auth/exchange.h"
#include "mta/auth/failures.h"
#include "mta/auth/settings.h"
#include "mta/env/env.h"

namespace postproof::auth {

// Why a mechanism is not begun.
enum class Denial : std::uint8_t {
  unknown,    // not one of ours, or one that this connection or backend cannot serve
  too_weak,   // ours, and not among those that the configuration allows
  needs_tls,  // nothing is taken in the clear
};

// The backend that the settings name; null: none.
std::unique_ptr<Verifier> make_verifier(Env& env, const Settings& settings);

class Authenticator {
 public:
  // `verifier`: who knows the passwords; null: nobody. `env` and `settings` outlive it.
  Authenticator(Env& env, const Settings& settings, std::unique_ptr<Verifier> verifier);
  ~Authenticator();

  // As Verifier::load.
  Task<Result<void>> load();

  const Settings& settings() const { return settings_; }
  // As Verifier::refresh.
  Task<void> refresh();
  // The stronger first; none: AUTH is not offered over this connection.
  std::vector<Mechanism> offered(const Channel& channel) const;
  std::expected<std::unique_ptr<Exchange>, Denial> begin(std::string_view mechanism, const Channel& channel);

  // A login has failed: gives how long its answer is to wait.
  Duration note_failure(const Endpoint& client);
  // So often within a while that it is not heard any more.
  bool shut_out(const Endpoint& client) const;

 private:
  bool allowed(Mechanism mechanism) const;
  bool usable(Mechanism mechanism, const Channel& channel) const;

  Env& env_;
  const Settings& settings_;
  std::unique_ptr<Verifier> verifier_;
  Failures failures_;
};

}  // namespace postproof::auth
