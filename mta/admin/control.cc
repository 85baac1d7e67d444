#include "mta/admin/control.h"

#include <array>

#include "mta/base/text.h"

namespace postproof::admin {

namespace {

constexpr std::size_t kRequestMax = 4096;
constexpr std::size_t kAnswerMax = 1024 * 1024 * 1024;
constexpr std::size_t kConnectionsMax = 16;
constexpr Duration kTimeout = 30s;
// Connecting takes no longer than a daemon that cannot accept: its backlog answers for it.
constexpr Duration kAnswerTimeout = 10s;

Deadline soon(const Env& env) { return env.clock.mono() + kTimeout; }

// A line without its newline; none when the client sends no such thing in time.
Task<std::optional<std::string>> read_request(Env& env, Stream& stream) {
  std::string request;
  std::array<char, 512> buffer;
  while (request.find('\n') == std::string::npos) {
    const auto size = co_await stream.read_some(buffer, soon(env));
    if (!size || *size == 0 || request.size() + *size > kRequestMax) co_return std::nullopt;
    request.append(buffer.data(), *size);
  }
  request.resize(request.find('\n'));
  co_return request;
}

}  // namespace

ControlServer::ControlServer(Env& env, Answer answer)
    : env_(env), answer_(std::move(answer)), connections_(env.executor) {}

ControlServer::~ControlServer() = default;

Result<void> ControlServer::listen(const Endpoint& at) {
  auto listener = env_.network.listen(at);
  if (!listener) return std::unexpected(std::move(listener.error()));
  listener_ = std::move(*listener);
  return {};
}

Task<void> ControlServer::run() {
  for (;;) {
    auto stream = co_await listener_->accept();
    if (!stream && stream.error().code == Errc::closed) break;
    if (!stream) continue;
    if (connections_.size() >= kConnectionsMax) continue;  // dropped: closed by its destructor
    std::shared_ptr<Stream> connection = std::move(*stream);
    open_.push_back(connection);
    connections_.spawn(serve(std::move(connection)));
  }
  co_await connections_.join();
}

void ControlServer::stop() {
  if (listener_) listener_->close();
  for (const auto& stream : open_) stream->close();
}

Task<void> ControlServer::serve(std::shared_ptr<Stream> stream) {
  const auto request = co_await read_request(env_, *stream);
  if (request) {
    const std::string answer = co_await answer_(*request);
    const auto written = co_await stream->write_all(answer, soon(env_));
    if (written) stream->shutdown_send();
  }
  std::erase(open_, stream);
}

Task<Result<std::string>> ask_control(Env& env, Endpoint at, std::string request) {
  const std::string where = at.to_string();
  const Deadline deadline = env.clock.mono() + kAnswerTimeout;
  const auto trouble = [&](Error error) {
    if (error.code != Errc::timed_out) return std::unexpected<Error>(std::move(error));
    return fail(Errc::timed_out, "the daemon at " + where + " does not answer; is it stuck, or out of file descriptors?");
  };
  auto connected = co_await env.network.connect(std::move(at), std::nullopt, deadline);
  if (!connected) co_return trouble(std::move(connected.error()));
  const std::unique_ptr<Stream> stream = std::move(*connected);
  request += '\n';
  const auto written = co_await stream->write_all(request, deadline);
  if (!written) co_return trouble(written.error());
  std::string answer;
  std::array<char, 16384> buffer;
  for (;;) {
    const auto size = co_await stream->read_some(buffer, answer.empty() ? deadline : soon(env));
    if (!size) co_return trouble(size.error());
    if (*size == 0) co_return answer;
    if (answer.size() + *size > kAnswerMax) co_return fail(Errc::too_large, "the daemon's answer is too long");
    answer.append(buffer.data(), *size);
  }
}

}  // namespace postproof::admin
