// The control socket: how the command line asks the running daemon. A Unix socket in the spool, which only
// the spool's owner can reach. One request a connection: a line; the answer is text to its end.
//
//   queue-list         the queue as a table
//   queue-list json    the queue as JSON lines
//
// Anything else is answered by "error: ..." and ends nothing but its own connection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mta/env/env.h"
#include "mta/env/task_group.h"

namespace postproof::admin {

class ControlServer {
 public:
  // Makes the answer to a request line; called on the Env's thread.
  using Answer = std::function<Task<std::string>(std::string request)>;

  ControlServer(Env& env, Answer answer);
  ~ControlServer();

  Result<void> listen(const Endpoint& at);
  // Serves until stop(); all connections have ended when it returns.
  Task<void> run();
  void stop();

 private:
  Task<void> serve(std::shared_ptr<Stream> stream);

  Env& env_;
  Answer answer_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::shared_ptr<Stream>> open_;
  TaskGroup connections_;
};

// The client's side: sends the request, returns the whole answer. A daemon that does not begin to answer within
// 10 s is told as such: Errc::timed_out.
Task<Result<std::string>> ask_control(Env& env, Endpoint at, std::string request);

}  // namespace postproof::admin
