#include "sim/peer/peer.h"

#include "sim/peer/server.h"
#include "sim/peer/session.h"

namespace postproof::sim {

struct Peer::Impl {
  Impl(Env& env, PeerSettings given, std::shared_ptr<Behaviour> behaves, Recorder& recorder)
      : settings(std::move(given)),
        behaviour(std::move(behaves)),
        shared{settings, behaviour.get(), recorder},
        server(env, settings.listen, [this](Served& served) { return serve(served); }) {}

  Task<void> serve(Served& served) {
    PeerSession session(shared, served);
    co_await session.run();
  }

  PeerSettings settings;
  std::shared_ptr<Behaviour> behaviour;
  PeerShared shared;
  ConnectionServer server;
};

Peer::Peer(Env& env, PeerSettings settings, std::shared_ptr<Behaviour> behaviour, Recorder& recorder)
    : impl_(std::make_unique<Impl>(env, std::move(settings), std::move(behaviour), recorder)) {}
Peer::~Peer() = default;

Task<Result<void>> Peer::run() { return impl_->server.run(); }
void Peer::stop() { impl_->server.stop(); }
std::size_t Peer::sessions() const { return impl_->server.sessions(); }

}  // namespace postproof::sim
