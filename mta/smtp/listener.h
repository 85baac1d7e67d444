// Accepts SMTP connections and runs their sessions, within the limits of the settings.
//
// A Listener and everything under it lives on its one Env's thread. With several session Envs each has a
// Listener of its own at the same endpoint, as Network::listen allows; all share one
// SessionNumbers. The limits on sessions hold for each Listener by itself.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "mta/env/env.h"
#include "mta/env/task_group.h"
#include "mta/smtp/intake.h"
#include "mta/smtp/server_session.h"
#include "mta/smtp/session_numbers.h"
#include "mta/smtp/settings.h"

namespace postproof::smtp {

class Listener {
 public:
  // All of these outlive the Listener. `logins`: as of ServerSession.
  Listener(Env& env, const ServerSettings& settings, IntakeFactory& intakes, SessionNumbers& numbers,
           auth::Authenticator* logins = nullptr);
  ~Listener();  // run() has returned, or was never called

  // Any number of endpoints, before run().
  Result<void> listen(const Endpoint& at);
  // The endpoints in force, in the order of listen(): port 0 has become a number.
  std::vector<Endpoint> endpoints() const;

  // Serves until stop() or the end of the world; returns when every session has ended. Once.
  Task<void> run();
  // Takes no more connections; sessions end with 421 (ServerSession::stop). Any number of times, also before run().
  void stop();

  std::size_t size() const { return sessions_.size(); }  // sessions under way

 private:
  Task<void> accept_from(postproof::Listener& listener);
  void take(std::unique_ptr<Stream> stream);
  void open_session(std::unique_ptr<Stream> stream);
  void refuse_session(std::unique_ptr<Stream> stream, Reply reply);
  Task<void> hear_proxy(std::unique_ptr<Stream> stream, std::uint64_t number);
  Task<void> serve(std::unique_ptr<ServerSession> session, std::uint64_t number);
  Task<void> refuse(std::unique_ptr<Stream> stream, Reply reply);
  std::optional<Reply> over_limit(const Endpoint& client) const;

  Env& env_;
  const ServerSettings& settings_;
  IntakeFactory& intakes_;
  SessionNumbers& numbers_;
  auth::Authenticator* logins_;
  std::vector<std::unique_ptr<postproof::Listener>> listeners_;
  std::map<std::uint64_t, ServerSession*> sessions_;  // by number
  std::map<IpAddress, unsigned> per_client_;
  std::map<std::uint64_t, Stream*> proxies_;  // whose header is awaited, by the order of their connections
  std::uint64_t last_proxy_ = 0;
  unsigned refusing_ = 0;
  bool stopping_ = false;
  TaskGroup group_;
};

}  // namespace postproof::smtp
