// A world for the conformance suite of Env: two hosts, and what a case may ask of their surroundings.
//
// The cases stand in *_cases.cc and know only this. Each program links one place: os_place.cc (real
// sockets on loopback, real files in a temporary folder) or sim_place.cc (the simulated internet).
//
// Cases use CHECK and return early: a REQUIRE would throw through the world's loop.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/env/env.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"

namespace postproof::test {

enum class Transport : std::uint8_t { ip4, ip6, unix_path };

class Place {
 public:
  // Runs on one host; the closure lives until run() has returned.
  using Program = std::function<Task<void>(Env&)>;

  virtual ~Place() = default;

  // Runs both, each on its host, until both have ended; the case fails when they do not. Once a place.
  virtual void run(Program near, Program far) = 0;
  void run(Program near);

  virtual std::vector<Transport> transports() const = 0;
  virtual Endpoint far_endpoint(Transport transport) = 0;  // where the far host may listen: port 0, or a path
  virtual Endpoint unlistened(Transport transport) = 0;    // of the far host, where nobody listens
  virtual Endpoint unreachable() = 0;                      // no route leads there
  virtual Endpoint silent() = 0;                           // a SYN to it is never answered
  virtual Endpoint foreign() = 0;                          // not an address of the near host
  virtual IpAddress near_address() = 0;                    // IPv4, the near host's
  virtual IpAddress second_near_address() = 0;             // IPv4, another of the near host's
  virtual std::string folder() = 0;                        // of the near host's disk; not there yet, its parent is
};

// Of the program's world.
std::unique_ptr<Place> make_place();

// True if it is a value; otherwise the case has failed and the error is told.
template <class T>
bool good(const Result<T>& result) {
  const std::string error = result ? "" : result.error().what;
  CHECK_MESSAGE(result.has_value(), error);
  return result.has_value();
}

// True if it is this error; otherwise the case has failed.
template <class T>
bool failed_with(Errc code, const Result<T>& result) {
  const std::string got =
      result ? "success" : result.error().what + " (" + std::string(to_string(result.error().code)) + ")";
  const bool right = !result && result.error().code == code;
  CHECK_MESSAGE(right, "expected ", std::string(to_string(code)), ", got ", got);
  return right;
}

Task<void> sleep_for(Env& env, Duration duration);

// For a group: where a call's result is found after the join.
template <class T>
Task<void> keep(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

// The call's result; the case has failed if the call ended before it had let go of the executor. What looks
// stands in the executor's queue right behind the call's start.
template <class T>
Task<T> not_inline(Env& env, Task<T> call) {
  std::optional<T> result;
  bool early = false;
  TaskGroup group(env.executor);
  group.spawn(keep(std::move(call), result));
  boost::asio::post(env.executor, [&] { early = result.has_value(); });
  co_await group.join();
  CHECK_MESSAGE(!early, "a call completed inline");
  co_return std::move(*result);
}

// One end of a connection.
using Half = std::function<Task<void>(Env&, std::unique_ptr<Stream>)>;

// What the halves get instead of the bare connection: of the program, itself (bare_dress.cc) or TLS over it
// (tls_dress.cc). Null if that failed, and so has the case.
Task<std::unique_ptr<Stream>> dress(Env& env, std::unique_ptr<Stream> bare, bool near);

// Connects the two hosts and runs a half at each end.
void run_pair(Place& place, Transport transport, Half near, Half far);

// The same in a fresh place for each transport of the world.
void for_each_transport(Half near, Half far);
void for_each_ip_transport(Half near, Half far);  // what Unix sockets do not have: RST, addresses

// Reads until so many octets are there, or the peer's FIN.
Task<Result<std::string>> read_up_to(Stream& stream, std::size_t size, Deadline deadline);

// Text in which every octet's place can be told: "0000000 0000008 ..." .
std::string numbered(std::size_t size);

}  // namespace postproof::test
