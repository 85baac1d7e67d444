#include "sim/peer/peer_program.h"

#include <utility>
#include <variant>

#include "sim/peer/peer.h"

namespace postproof::sim {

namespace {

PeerSettings settings_of(const PeerPart& part, PeerTls& tls) {
  PeerSettings settings;
  settings.node = part.name;
  settings.hostname = part.names.front();
  for (const IpAddress& address : part.addresses) settings.listen.emplace_back(address, part.port);
  settings.banner = part.banner;
  settings.keywords = part.keywords;
  settings.logins = part.logins;
  settings.end_of_data = part.end_of_data;
  settings.tls = &tls;
  return settings;
}

}  // namespace

struct PeerProgram::Impl {
  Impl(Env& env, const PeerPart& part, PeerTls& tls, std::shared_ptr<Behaviour> behaviour, Recorder& recorder) {
    if (!part.script.empty()) {
      server.emplace<std::unique_ptr<ScriptPeer>>(
          std::make_unique<ScriptPeer>(env, settings_of(part, tls), part.script, part.script_line, recorder));
      return;
    }
    server = std::make_unique<Peer>(env, settings_of(part, tls), std::move(behaviour), recorder);
  }

  std::variant<std::unique_ptr<Peer>, std::unique_ptr<ScriptPeer>> server;
};

PeerProgram::PeerProgram(Env& env, const PeerPart& part, PeerTls& tls, std::shared_ptr<Behaviour> behaviour,
                         Recorder& recorder)
    : impl_(std::make_unique<Impl>(env, part, tls, std::move(behaviour), recorder)) {}
PeerProgram::~PeerProgram() = default;

Task<Result<void>> PeerProgram::run() {
  return std::visit([](const auto& server) { return server->run(); }, impl_->server);
}

void PeerProgram::stop() {
  std::visit([](const auto& server) { server->stop(); }, impl_->server);
}

std::size_t PeerProgram::sessions() const {
  return std::visit([](const auto& server) { return server->sessions(); }, impl_->server);
}

}  // namespace postproof::sim
