#include <fmt/format.h>

#include "sim/peer/client.h"
#include "sim/peer/client_tls.h"
#include "sim/peer/dialogue.h"
#include "sim/peer/script.h"
#include "sim/peer/server.h"
#include "sim/wire/tracker.h"

namespace postproof::sim {
namespace {

record::ClientMessage message_of(const ClientSettings& settings, ConnectionId connection, SeenMessage seen) {
  record::ClientMessage message;
  message.client = settings.node;
  message.to = settings.server_node;
  message.connection = connection;
  message.sender = std::move(seen.sender);
  message.recipients = std::move(seen.recipients);
  message.content = std::move(seen.content);
  message.reply = std::move(seen.reply);
  message.acknowledged = seen.positive;
  return message;
}

}  // namespace

Task<void> run_client_script(Env& env, ClientSettings settings, std::string script, std::uint32_t script_line,
                             Recorder& recorder) {
  const auto steps = parse_script(script, script_line);
  if (!steps) {
    const ScriptError& error = steps.error();
    recorder.add(record::ScriptFailure{settings.node, error.line, "a script",
                                       fmt::format("column {}: {}", error.column, error.what)});
    co_return;
  }
  Result<std::unique_ptr<Stream>> stream =
      co_await env.network.connect(settings.server, settings.from, env.clock.mono() + kClientConnectWait);
  if (!stream) {
    if (stream.error().code == Errc::closed) co_return;
    const std::uint32_t line = steps->empty() ? script_line : steps->front().line;
    recorder.add(record::ScriptFailure{settings.node, line, "a connection to " + settings.server.to_string(),
                                       std::move(stream.error().what)});
    co_return;
  }
  Served connection(env, std::move(*stream));
  const ConnectionId id = recorder.connection(connection.stream().local(), connection.stream().peer());
  TransactionTracker tracker([&](SeenMessage seen) { recorder.add(message_of(settings, id, std::move(seen))); });
  Dialogue::Observer observer;
  observer.sent = [&](std::string_view octets) { tracker.from_client(octets); };
  observer.received = [&](std::string_view octets) { tracker.from_server(octets); };
  const auto secure = [&](Served& served, std::string_view buffered, Deadline deadline) {
    return secure_as_client(served, buffered, ClientTls{settings.server_name}, deadline);
  };
  Dialogue dialogue(connection, Dialogue::Role::client, *steps, std::move(observer), secure);
  std::optional<DialogueFailure> failure = co_await dialogue.run();
  tracker.end();
  if (failure) {
    recorder.add(
        record::ScriptFailure{settings.node, failure->line, std::move(failure->wanted), std::move(failure->got)});
  }
  connection.stream().close();
}

}  // namespace postproof::sim
