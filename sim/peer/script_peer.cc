#include <fmt/format.h>

#include "sim/peer/dialogue.h"
#include "sim/peer/peer.h"
#include "sim/peer/script.h"
#include "sim/peer/server.h"
#include "sim/wire/tracker.h"

namespace postproof::sim {

struct ScriptPeer::Impl {
  Impl(Env& env, PeerSettings given, std::string_view script, std::uint32_t script_line, Recorder& records)
      : settings(std::move(given)),
        steps(parse_script(script, script_line)),
        recorder(records),
        server(env, settings.listen, [this](Served& served) { return serve(served); }) {}

  Task<void> serve(Served& served) {
    const ConnectionId connection = recorder.connection(served.stream().peer(), served.stream().local());
    TransactionTracker tracker([&](SeenMessage seen) { add_message(connection, std::move(seen)); });
    Dialogue::Observer observer;
    observer.sent = [&](std::string_view octets) { tracker.from_server(octets); };
    observer.received = [&](std::string_view octets) { tracker.from_client(octets); };
    const auto secure = [&](Served& connection_served, std::string_view buffered, Deadline deadline) {
      settings.tls->record_faults(recorder, settings.node);
      return settings.tls->secure(connection_served, buffered, deadline, recorder, settings.node);
    };
    Dialogue dialogue(served, Dialogue::Role::server, *steps, std::move(observer), secure);
    std::optional<DialogueFailure> failure = co_await dialogue.run();
    tracker.end();
    if (failure) {
      recorder.add(
          record::ScriptFailure{settings.node, failure->line, std::move(failure->wanted), std::move(failure->got)});
    }
  }

  void add_message(ConnectionId connection, SeenMessage seen) {
    record::PeerMessage message;
    message.peer = settings.node;
    message.connection = connection;
    message.helo = std::move(seen.helo);
    message.mail_parameters = std::move(seen.mail_parameters);
    message.sender = std::move(seen.sender);
    message.recipients = std::move(seen.recipients);
    message.content = std::move(seen.content);
    message.reply = std::move(seen.reply);
    message.accepted = seen.positive;
    recorder.add(std::move(message));
  }

  PeerSettings settings;
  std::expected<std::vector<ScriptStep>, ScriptError> steps;
  Recorder& recorder;
  ConnectionServer server;
};

ScriptPeer::ScriptPeer(Env& env, PeerSettings settings, std::string script, std::uint32_t script_line,
                       Recorder& recorder)
    : impl_(std::make_unique<Impl>(env, std::move(settings), script, script_line, recorder)) {}
ScriptPeer::~ScriptPeer() = default;

Task<Result<void>> ScriptPeer::run() {
  if (!impl_->steps) {
    const ScriptError& error = impl_->steps.error();
    co_return fail(Errc::invalid, fmt::format("script, line {}, column {}: {}", error.line, error.column, error.what));
  }
  co_return co_await impl_->server.run();
}
void ScriptPeer::stop() { impl_->server.stop(); }
std::size_t ScriptPeer::sessions() const { return impl_->server.sessions(); }

}  // namespace postproof::sim
