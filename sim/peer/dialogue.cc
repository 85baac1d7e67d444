#include "sim/peer/dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/text.h"
#include "sim/peer/sasl.h"
#include "sim/wire/dot.h"
#include "sim/wire/reply.h"

namespace postproof::sim {
namespace {

constexpr std::size_t kShownOctetsMax = 200;  // of what came instead of what was wanted

std::string shown(std::string_view octets) {
  if (octets.size() <= kShownOctetsMax) return fmt::format("\"{}\"", octets);
  return fmt::format("\"{}\"... {} octets", octets.substr(0, kShownOctetsMax), octets.size());
}

std::string shown(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) {
    if (!all.empty()) all += " | ";
    all += line;
  }
  return shown(std::string_view(all));
}

}  // namespace

Dialogue::Dialogue(Served& connection, Role role, const std::vector<ScriptStep>& steps, Observer observer,
                   Secure secure)
    : connection_(connection),
      role_(role),
      steps_(steps),
      observer_(std::move(observer)),
      secure_(std::move(secure)),
      buffer_(connection.stream()) {
  buffer_.observe(observer_.received);
}

Task<std::optional<DialogueFailure>> Dialogue::run() {
  for (const ScriptStep& step : steps_) {
    const Outcome outcome = co_await follow(step);
    if (outcome == Outcome::over) co_return std::nullopt;
    if (outcome == Outcome::failed) co_return std::move(failure_);
  }
  co_return std::nullopt;
}

Task<Dialogue::Outcome> Dialogue::follow(const ScriptStep& step) {
  switch (step.kind) {
    case ScriptStep::Kind::send: co_return co_await send(step);
    case ScriptStep::Kind::expect:
    case ScriptStep::Kind::expect_line: co_return co_await expect(step);
    case ScriptStep::Kind::wait: co_return co_await wait(step);
    case ScriptStep::Kind::close: connection_.stream().close(); break;
    case ScriptStep::Kind::reset: connection_.stream().reset(); break;
    case ScriptStep::Kind::half_close: connection_.stream().shutdown_send(); break;
    case ScriptStep::Kind::eof_within: co_return co_await wait_for_eof(step);
    case ScriptStep::Kind::silence: co_return co_await keep_silence(step);
    case ScriptStep::Kind::drip: drip_ = step.duration; break;
    case ScriptStep::Kind::drain: co_return co_await drain(step);
    case ScriptStep::Kind::tls: co_return co_await start_tls(step);
    case ScriptStep::Kind::auth: co_return co_await log_in(step);
  }
  co_return Outcome::done;
}

Task<Dialogue::Outcome> Dialogue::send(const ScriptStep& step) {
  std::string_view rest = step.text;
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, drip_ > Duration::zero() ? 1 : rest.size());
    if (observer_.sent) observer_.sent(piece);
    const Result<void> written = co_await connection_.stream().write_all(piece, after(kScriptWait));
    if (!written) co_return failed(step, fmt::format("to send {}", shown(rest)), written.error());
    rest.remove_prefix(piece.size());
    if (drip_ > Duration::zero()) {
      const bool waited = co_await connection_.pause(drip_);
      if (!waited) co_return Outcome::over;
    }
  }
  co_return Outcome::done;
}

Task<Dialogue::Outcome> Dialogue::expect(const ScriptStep& step) {
  const Deadline deadline = after(kScriptWait);
  const bool whole = step.kind == ScriptStep::Kind::expect_line;
  const auto fits = [&](const std::string& line) { return whole ? line == step.text : line.starts_with(step.text); };
  std::string wanted = (whole ? "exactly " : "") + shown(step.text);
  if (role_ == Role::client) {
    const Result<WireReply> reply = co_await next_reply();
    if (!reply) co_return failed(step, std::move(wanted), reply.error());
    if (std::ranges::any_of(reply->lines, fits)) co_return Outcome::done;
    co_return failed(step, std::move(wanted), shown(reply->lines));
  }
  const Result<std::string> line = co_await buffer_.line(LineEnd::lf, deadline);
  if (!line) co_return failed(step, std::move(wanted), line.error());
  if (!fits(*line)) co_return failed(step, std::move(wanted), shown(*line));
  co_return Outcome::done;
}

Task<Dialogue::Outcome> Dialogue::wait(const ScriptStep& step) {
  const bool waited = co_await connection_.pause(step.duration);
  co_return waited ? Outcome::done : Outcome::over;
}

Task<Dialogue::Outcome> Dialogue::start_tls(const ScriptStep& step) {
  const std::string buffered(buffer_.buffered());
  const Result<void> done = co_await secure_(connection_, buffered, after(kScriptWait));
  if (!done) co_return failed(step, "a TLS handshake", done.error());
  buffer_.read_from(connection_.stream());
  co_return Outcome::done;
}

Task<Result<WireReply>> Dialogue::next_reply() {
  if (outcome_) co_return *std::exchange(outcome_, std::nullopt);
  co_return co_await read_reply(buffer_, after(kScriptWait));
}

// RFC 4954 section 4. What ends the exchange is left for the next step.
Task<Dialogue::Outcome> Dialogue::log_in(const ScriptStep& step) {
  const auto random = connection_.env().entropy.stream("client.nonce");
  SaslClient sasl(step.login, *random, connection_.stream());
  ScriptStep said = step;
  said.text = sasl.command();
  for (;;) {
    said.text += "\r\n";
    const Outcome sent = co_await send(said);
    if (sent != Outcome::done) co_return sent;
    Result<WireReply> reply = co_await next_reply();
    if (!reply) co_return failed(step, "an answer to AUTH", reply.error());
    if (reply->code != 334) {
      outcome_ = std::move(*reply);
      co_return Outcome::done;
    }
    auto answer = sasl.answer(reply->lines.front().substr(std::min<std::size_t>(4, reply->lines.front().size())));
    if (!answer) co_return failed(step, "a challenge of " + step.login.mechanism, shown(reply->lines));
    said.text = std::move(*answer);
  }
}

// What arrives until then does not matter.
Task<Dialogue::Outcome> Dialogue::wait_for_eof(const ScriptStep& step) {
  const Deadline deadline = after(step.duration);
  std::string wanted = fmt::format("the other side to close within {}", format_duration(step.duration));
  for (;;) {
    buffer_.consume(buffer_.buffered().size());
    const Result<std::size_t> read = co_await buffer_.fill(deadline);
    if (read && *read == 0) co_return Outcome::done;
    if (!read && read.error().code == Errc::reset) co_return Outcome::done;
    if (!read) co_return failed(step, std::move(wanted), read.error());
  }
}

Task<Dialogue::Outcome> Dialogue::keep_silence(const ScriptStep& step) {
  std::string wanted = fmt::format("silence for {}", format_duration(step.duration));
  if (buffer_.buffered().empty()) {
    const Result<std::size_t> read = co_await buffer_.fill(after(step.duration));
    if (!read && read.error().code == Errc::timed_out) co_return Outcome::done;
    if (!read) co_return failed(step, std::move(wanted), read.error());
    if (*read == 0) co_return failed(step, std::move(wanted), std::string("the other side has closed"));
  }
  co_return failed(step, std::move(wanted), shown(buffer_.buffered()));
}

Task<Dialogue::Outcome> Dialogue::drain(const ScriptStep& step) {
  DotDecoder decoder;
  std::string dropped;
  for (;;) {
    const std::size_t taken = decoder.feed(buffer_.buffered(), dropped);
    buffer_.consume(taken);
    dropped.clear();
    if (decoder.done()) co_return Outcome::done;
    const Result<std::size_t> more = co_await buffer_.fill(after(kScriptWait));
    if (!more) co_return failed(step, "content up to its final dot", more.error());
    if (*more == 0) co_return failed(step, "content up to its final dot", std::string("the other side has closed"));
  }
}

Dialogue::Outcome Dialogue::failed(const ScriptStep& step, std::string wanted, std::string got) {
  failure_ = DialogueFailure{step.line, std::move(wanted), std::move(got)};
  return Outcome::failed;
}

Dialogue::Outcome Dialogue::failed(const ScriptStep& step, std::string wanted, const Error& error) {
  if (error.code == Errc::closed) return Outcome::over;
  return failed(step, std::move(wanted), fmt::format("{} ({})", to_string(error.code), error.what));
}

Deadline Dialogue::after(Duration duration) const { return connection_.env().clock.mono() + duration; }

}  // namespace postproof::sim
