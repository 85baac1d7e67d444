// The stream's contracts hold for TLS over any stream too: the near host is the client, the far one the server.
#include "mta/tls/stream.h"
#include "tests/env/place.h"
#include "tests/mta/tls/identity.h"

namespace postproof::test {

Task<std::unique_ptr<Stream>> dress(Env& env, std::unique_ptr<Stream> bare, bool near) {
  auto context = near ? tls::Context::client(env, kTestRoot, tls::Context::Verify::require)
                      : tls::Context::server(env, test_identity());
  if (!good(context)) co_return nullptr;
  const std::string name = near ? std::string(kTestName) : std::string();
  auto dressed = std::make_unique<tls::Stream>(env, std::move(*context), std::move(bare), std::string_view(), name);
  const auto done = co_await dressed->handshake(env.clock.mono() + 10s);
  if (!good(done)) co_return nullptr;
  co_return std::move(dressed);
}

}  // namespace postproof::test
