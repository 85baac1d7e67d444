#include "sim/peer/client_tls.h"

#include "mta/tls/stream.h"

namespace postproof::sim {

Task<Result<void>> secure_as_client(Served& connection, std::string_view buffered, std::string server_name,
                                    Deadline deadline) {
  auto context = tls::Context::client(connection.env(), {}, tls::Context::Verify::note);
  if (!context) co_return std::unexpected(std::move(context.error()));
  tls::Stream* secured = nullptr;
  connection.wrap([&](std::unique_ptr<Stream> bare) -> std::unique_ptr<Stream> {
    auto made =
        std::make_unique<tls::Stream>(connection.env(), *context, std::move(bare), buffered, std::move(server_name));
    secured = made.get();
    return made;
  });
  co_return co_await secured->handshake(deadline);
}

}  // namespace postproof::sim
