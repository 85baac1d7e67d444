// A [peer] of a scenario as a program: a server by rules, or one whose connections follow a dialogue. Over Env&
// alone: the same one runs at a node of a world and on real sockets.
#pragma once

#include <cstddef>
#include <memory>

#include "mta/env/env.h"
#include "sim/peer/behaviour.h"
#include "sim/peer/peer_tls.h"
#include "sim/recording/recorder.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

class PeerProgram {
 public:
  // The part and its TLS outlive it. `behaviour`: what it does otherwise (StandingBehaviours gives it); null: nothing.
  PeerProgram(Env& env, const PeerPart& part, PeerTls& tls, std::shared_ptr<Behaviour> behaviour,
              Recorder& recorder);
  ~PeerProgram();

  // Serves until the Env goes away or stop(); all sessions have ended when it returns. An error: it could not listen.
  Task<Result<void>> run();
  void stop();
  std::size_t sessions() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postproof::sim
