// Plays a scenario's own part on an Env: its resolver, peers and clients, in the Env's time, for MTAs that run elsewhere;
// records what crosses their sockets, and judges it.
//
// Over Env& alone: on the operating system it is `postproof serve`, at a node of a world it is a test of that.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "mta/env/env.h"
#include "sim/run/run.h"
#include "sim/serve/place.h"

namespace postproof::sim {

struct ServeOptions {
  // So long nothing may have crossed a socket, and nothing may be owed, for the run to be over.
  Duration settle = std::chrono::seconds{3};
  Duration limit = std::chrono::minutes{10};
  bool stay = false;  // not over before the limit, or interrupt()
  // So long an MTA may take to come up.
  Duration mta_wait = std::chrono::minutes{1};
};

class Serve {
 public:
  // Gets the certificate of the authority behind the peers' certificates, PEM. What it fails with ends the run.
  using Announce = std::function<Result<void>(std::string_view ca)>;

  // The scenario outlives it. `announce` is called once, when the resolver answers and before any MTA is waited for;
  // `tell` with lines for people: what it waits for, what has begun. Keys are drawn from the Env's OpenSSL, the
  // authority's and then those of the peers in their order.
  Serve(Env& env, const PlacedScenario& placed, ServeOptions options, Announce announce,
        std::function<void(std::string_view)> tell);
  ~Serve();

  // Once. Time 0 is when every MTA takes connections. An error: the servers could not stand, or announce() failed. The
  // judgement is made and recorded.
  Task<Result<RunResult>> run();

  // Ends it soon; what is pending is told. On the Env's thread.
  void interrupt();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postproof::sim
