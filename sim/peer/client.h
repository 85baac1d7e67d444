// Simulated mail clients: one that submits a message correctly, one that follows a dialogue. Over Env& alone.
#pragma once

#include <chrono>
#include <string>

#include "mta/env/env.h"
#include "sim/recording/recorder.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

// RFC 5321 names no time for the connection itself; ours is what the MTA grants an address.
inline constexpr Duration kClientConnectWait = std::chrono::seconds{30};

struct ClientSettings {
  std::string node;       // how the recording names it
  std::string helo;
  Endpoint server;
  std::string server_node;
  IpAddress from;
  std::string server_name{};  // a name of the server, for SNI; empty: none
};

// Connects, hands one message over (pipelining nothing; whoever wants `message.count` of them calls it so
// often), QUITs. Records a ClientMessage whatever comes of
// it; a refusal or a lost connection is no failure of the run by itself. Waits as RFC 5321 section 4.5.3.2
// says. Does not retry: where nobody takes the connection, `is_seen_to` is asked, and if somebody else will hand the
// message over, nothing is recorded.
Task<void> submit(Env& env, ClientSettings settings, Submit message, Recorder& recorder,
                  std::function<bool()> is_seen_to = {});

// Follows the dialogue over one connection; records the first step that fails as a ScriptFailure, and a
// ClientMessage for every message that its bytes hand over: MAIL, RCPT and content are read from what it
// sends, replies from what it gets.
Task<void> run_client_script(Env& env, ClientSettings settings, std::string script, std::uint32_t script_line,
                             Recorder& recorder);

}  // namespace postproof::sim
