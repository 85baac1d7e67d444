// Two hosts with one connection between them: what `feed` writes, `read` reads. For tests of readers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mta/base/check.h"
#include "mta/env/wakeup.h"
#include "sim/wire/line_buffer.h"
#include "sim/world/node.h"
#include "sim/world/world.h"

namespace postproof::sim {

// Writes the pieces a second apart, then ends its direction. The reader gets a buffer over the other end.
class Pipe {
 public:
  using Reader = std::function<Task<void>(Env&, LineBuffer&)>;

  static void run(std::vector<std::string> pieces, Reader reader) {
    Recording recording;
    World world(WorldSettings{}, recording);
    const Endpoint at(*IpAddress::parse("192.0.2.2"), 25);
    Node& writes = world.add_node("writes", {at.address()});
    Node& reads = world.add_node("reads", {*IpAddress::parse("192.0.2.1")});
    writes.start([&](Env& env) { return feed(env, at, pieces); });
    reads.start([&](Env& env) { return read(env, at, reader); });
    world.run(std::chrono::hours{1}, [] { return false; });
  }

 private:
  static Task<void> feed(Env& env, Endpoint at, const std::vector<std::string>& pieces) {
    auto listener = env.network.listen(at);
    auto stream = co_await (*listener)->accept();
    for (const std::string& piece : pieces) {
      PP_CHECK(!piece.empty(), "nothing to write");
      const Result<void> written = co_await (*stream)->write_all(piece, kNever);
      if (!written) co_return;
      const Woken woken = co_await sleep_until(env, env.clock.mono() + std::chrono::seconds{1});
      if (woken == Woken::closed) co_return;
    }
    (*stream)->shutdown_send();
    char octet = 0;
    const Result<std::size_t> end = co_await (*stream)->read_some({&octet, 1}, kNever);
    if (end) (*stream)->close();
  }

  static Task<void> read(Env& env, Endpoint at, const Reader& reader) {
    auto stream = co_await env.network.connect(at, std::nullopt, kNever);
    LineBuffer buffer(**stream);
    co_await reader(env, buffer);
  }
};

}  // namespace postproof::sim
