// A simulated mail server: wire code of its own (sim/wire, never mta/smtp) plus a Behaviour, over Env&
// alone, so that the same peer runs in the simulation and on real sockets.
//
// Without a Behaviour it is a correct receiver (RFC 5321, PIPELINING, SIZE, 8BITMIME,
// ENHANCEDSTATUSCODES) that keeps every message. It ends DATA on CRLF.CRLF only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mta/env/env.h"
#include "sim/peer/behaviour.h"
#include "sim/peer/peer_tls.h"
#include "sim/recording/recorder.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

struct PeerSettings {
  std::string node;                   // how the recording names it
  std::string hostname;               // greeting and EHLO
  std::vector<Endpoint> listen;
  std::string banner;                 // behind the host name in the greeting; empty: "ESMTP ready"
  std::vector<std::string> keywords;  // of EHLO
  std::vector<FinalDot> end_of_data;  // what ends content besides CRLF.CRLF; if any does, LF ends a command too
  PeerLogins logins;                  // without a mechanism AUTH is not offered
  PeerTls* tls = nullptr;             // none: STARTTLS is not offered
  // Longer than RFC 5321 section 4.5.3.2.7 asks for: the client's own timeouts are to be seen.
  Duration idle_timeout = std::chrono::minutes{30};
};

class Peer {
 public:
  // `behaviour` may be null.
  Peer(Env& env, PeerSettings settings, std::shared_ptr<Behaviour> behaviour, Recorder& recorder);
  ~Peer();
  // Serves until the Env goes away or stop(); all sessions have ended when it returns.
  Task<Result<void>> run();
  void stop();
  std::size_t sessions() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A server whose every connection follows a dialogue (script.h) to its end.
class ScriptPeer {
 public:
  ScriptPeer(Env& env, PeerSettings settings, std::string script, std::uint32_t script_line, Recorder& recorder);
  ~ScriptPeer();
  Task<Result<void>> run();
  void stop();
  std::size_t sessions() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The rules of a scenario as a Behaviour; first match wins. `start` is the clock's time 0 of the run.
std::unique_ptr<Behaviour> rule_behaviour(std::vector<Rule> rules, MonoTime start);

}  // namespace postproof::sim
