// SASL as simulated clients and peers speak it, right or with a slip that a scenario wants (sim/scenario/logins.h): step by
// step, without a wire. The digests of SCRAM are mta/auth's; that those are right is shown by the RFC's own exchange and
// by programs that are not ours.
#pragma once

#include <optional>
#include <string>

#include "mta/env/random.h"
#include "mta/env/stream.h"
#include "sim/scenario/logins.h"

namespace postproof::sim {

class SaslClient {
 public:
  // `under`: what -PLUS binds to; without TLS it binds to nothing, and no server takes it.
  SaslClient(ClientLogin login, Random& random, Stream& under);
  ~SaslClient();

  // The command, with the initial response if the mechanism begins with one.
  std::string command();
  // The line that answers a challenge (behind "334 "); none: no mechanism of the kind goes on so.
  std::optional<std::string> answer(const std::string& challenge);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class SaslServer {
 public:
  struct Said {
    std::string code;  // "334", "235", "535", "501"
    std::string text;  // of 334: the challenge in base64
  };

  SaslServer(PeerLogins logins, std::string mechanism, Random& random);
  ~SaslServer();

  // `line`: the initial response or the answer, in base64; none: nothing was said yet.
  Said next(const std::optional<std::string>& line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postproof::sim
