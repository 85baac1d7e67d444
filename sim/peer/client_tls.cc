#include "sim/peer/client_tls.h"

#include "mta/tls/stream.h"
#include "sim/peer/tls_limits.h"

namespace postproof::sim {

Task<Result<void>> secure_as_client(Served& connection, std::string_view buffered, ClientTls terms, Deadline deadline) {
  auto context = tls::Context::client(connection.env(), {}, tls::Context::Verify::note);
  if (!context) co_return std::unexpected(std::move(context.error()));
  tls::Stream* secured = nullptr;
  connection.wrap([&](std::unique_ptr<Stream> bare) -> std::unique_ptr<Stream> {
    auto made = std::make_unique<tls::Stream>(connection.env(), *context, std::move(bare), buffered, terms.server_name);
    secured = made.get();
    return made;
  });
  limit_tls(secured->native(), terms.version, terms.cipher);
  co_return co_await secured->handshake(deadline);
}

}  // namespace postproof::sim
