// A lane: one connection at a time to the hosts of one site, and the legs that go over it. It dials what
// the router names, in its order, hands each leg over, and tries the next address on trouble; a
// connection that still stands serves the next leg. Nothing is said to a host about a message before its stored
// content has been found whole.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "mta/deliver/settings.h"
#include "mta/deliver/settle.h"
#include "mta/env/env.h"
#include "mta/queue/dispatcher.h"
#include "mta/queue/spool.h"
#include "mta/route/router.h"
#include "mta/smtp/client_session.h"
#include "mta/smtp/session_numbers.h"

namespace postproof::deliver {

// What all lanes of an MTA share; immutable but for what is safe from any thread.
struct LaneContext {
  queue::Spool& spool;
  route::Router& router;
  smtp::SessionNumbers& numbers;
  const smtp::ClientSettings& client;
  const Settings& settings;
};

// The lanes of one Env: what is connected, so that a stop can end it. Used on that Env's thread only.
struct LaneHome {
  explicit LaneHome(Env& its_env) : env(its_env) {}
  Env& env;
  std::map<std::uint64_t, smtp::ClientSession*> sessions;  // by session number
  bool closed = false;                                     // no session may be opened any more
};

class Lane {
 public:
  Lane(LaneContext& context, LaneHome& home, std::shared_ptr<const route::Site> site);
  ~Lane();

  // Takes legs until the source has none; each is settled when this returns.
  Task<void> run(queue::LegSource& source, Settlement& settlement);

 private:
  class Work;

  Task<std::vector<queue::AttemptResult>> attempt(const queue::Leg& leg);
  Task<void> check_content(Work& work);
  void refuse_late(Work& work);
  Task<void> try_hosts(Work& work);
  bool session_spent() const;
  std::size_t recipients_at_once() const;
  Task<void> transact(Work& work);
  void leave_untried(Work& work, bool reused);
  Task<std::optional<queue::AttemptResult>> open(const route::Target& target, WallTime started);
  Task<std::optional<queue::AttemptResult>> dial(const route::Target& target, WallTime started, smtp::TlsLevel tls);
  Task<void> drop_session();

  LaneContext& context_;
  LaneHome& home_;
  std::shared_ptr<const route::Site> site_;
  std::unique_ptr<smtp::ClientSession> session_;
  std::string session_host_;
  unsigned transactions_ = 0;  // over the session that stands
};

}  // namespace postproof::deliver
