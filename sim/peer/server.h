// What every simulated server does around its sessions: listens on its endpoints, gives each connection
// a session of its own, and ends all of them before it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "mta/env/env.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"

namespace postproof::sim {

// One connection while its session runs.
class Served {
 public:
  Served(Env& env, std::unique_ptr<Stream> stream) : stream_(std::move(stream)), interrupted_(env), env_(env) {}

  Stream& stream() { return *stream_; }
  // Puts in the stream's place what is made over it.
  void wrap(const std::function<std::unique_ptr<Stream>(std::unique_ptr<Stream>)>& make) {
    stream_ = make(std::move(stream_));
  }
  Env& env() { return env_; }
  // Waits without reading. False: the session is to end now.
  Task<bool> pause(Duration duration);
  // Ends what the session waits for.
  void interrupt();
  bool interrupted() const { return is_interrupted_; }

 private:
  std::unique_ptr<Stream> stream_;
  Wakeup interrupted_;
  Env& env_;
  bool is_interrupted_ = false;
};

class ConnectionServer {
 public:
  using Session = std::function<Task<void>(Served&)>;

  ConnectionServer(Env& env, std::vector<Endpoint> listen, Session session);

  // Serves until the Env goes away or stop(). Errors: those of Network::listen.
  Task<Result<void>> run();
  void stop();
  std::size_t sessions() const { return served_.size(); }

 private:
  Task<void> accept(Listener& listener);
  Task<void> serve(std::unique_ptr<Stream> stream);

  Env& env_;
  std::vector<Endpoint> listen_;
  Session session_;
  TaskGroup tasks_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::map<std::uint64_t, Served*> served_;  // by the order in which they came
  std::uint64_t next_ = 0;
  bool stopped_ = false;
};

}  // namespace postproof::sim
