// One attempt of a client to log in: a SASL exchange as its server sees it (RFC 4422 section 3), step by step. What
// stands behind it, a file or another server, is the Verifier's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mta/auth/channel.h"
#include "mta/auth/mechanism.h"
#include "mta/base/result.h"
#include "mta/env/task.h"

namespace postproof::auth {

struct Challenge {
  std::string octets;
};
// Who the client has shown to be, in prepared form: the authentication identity. An authorization identity, where one
// was given, is allowed to be acted for by then.
struct Success {
  std::string login;
};
enum class Refusal : std::uint8_t {
  credentials,  // not the password, nobody of that name, or nobody that may act for another
  malformed,    // no message of the mechanism
  unsupported,  // the mechanism is not to be had after all
  temporary,    // the backend does not answer: nothing is known of the password
};
struct Failure {
  Refusal refusal = Refusal::credentials;
  std::string login;  // whom it was about, if it came so far; as said
  std::string why;    // for the log, never for the client
};
using Step = std::variant<Challenge, Success, Failure>;

class Exchange {
 public:
  virtual ~Exchange() = default;  // a client that gives up; no call may be under way

  // The first call is with the client's initial response, or none (RFC 4954 section 4). No call follows a Success or
  // a Failure.
  virtual Task<Step> step(std::optional<std::string> response) = 0;
};

// Who knows the passwords. Used on one Env's thread.
class Verifier {
 public:
  virtual ~Verifier() = default;

  // At the start: whether it can be used as it was configured. Errors name what cannot.
  virtual Task<Result<void>> load() { co_return Result<void>{}; }

  // Before a client is told what is served: what that stands on is looked at anew.
  virtual Task<void> refresh() { co_return; }

  // What it can serve now, the stronger first, before the channel and the configuration are looked at.
  virtual std::vector<Mechanism> mechanisms() const = 0;
  // `plus_offered`: the client was told that SCRAM can be bound to the channel.
  virtual std::unique_ptr<Exchange> begin(Mechanism mechanism, const Channel& channel, bool plus_offered) = 0;
};

}  // namespace postproof::auth
