// A correct client, command by command (RFC 5321 sections 3.3 and 4.5.3.2 for the times).
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "mta/base/text.h"
#include "sim/peer/client.h"
#include "sim/peer/client_tls.h"
#include "sim/peer/sasl.h"
#include "sim/wire/command.h"
#include "sim/wire/dot.h"
#include "sim/wire/line_buffer.h"
#include "sim/wire/reply.h"

namespace postproof::sim {
namespace {

// RFC 5321 section 4.5.3.2.
constexpr Duration kGreetingWait = std::chrono::minutes{5};
constexpr Duration kCommandWait = std::chrono::minutes{5};
constexpr Duration kDataWait = std::chrono::minutes{2};
constexpr Duration kBlockWait = std::chrono::minutes{3};
constexpr Duration kFinalDotWait = std::chrono::minutes{10};

constexpr std::size_t kBlock = 64 * 1024;  // content is written in pieces of this, each with its own time
constexpr std::size_t kFillerLine = 78;    // with its line end

// `size` octets of lines (one more where a lone octet would be left: a line end has two).
std::string filler(std::uint64_t size) {
  constexpr std::string_view kText = "The quick brown fox jumps over the lazy dog; 0123456789 times it does so. ";
  std::string out;
  out.reserve(size + 2);
  std::size_t at = 0;
  while (size > 0) {
    std::uint64_t line = std::min<std::uint64_t>(size, kFillerLine);
    if (size - line == 1) --line;
    for (std::uint64_t left = line > 2 ? line - 2 : 0; left > 0;) {
      const std::string_view piece = kText.substr(at, left);
      out += piece;
      at = (at + piece.size()) % kText.size();
      left -= piece.size();
    }
    out += "\r\n";
    size -= std::min<std::uint64_t>(size, std::max<std::uint64_t>(line, 2));
  }
  return out;
}

std::string content_of(const Submit& message) {
  std::string content = with_crlf(message.data);
  if (!content.empty() && !content.ends_with("\r\n")) content += "\r\n";
  if (message.size == 0) return content;
  const bool has_body = content.starts_with("\r\n") || content.find("\r\n\r\n") != std::string::npos;
  if (!has_body) content += "\r\n";
  return content + filler(message.size);
}

bool has_8bit(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return true;
  }
  return false;
}

class Submission {
 public:
  Submission(Env& env, std::unique_ptr<Stream> stream, std::string helo, std::string server_name, const Submit& message,
             record::ClientMessage& told)
      : env_(env),
        connection_(env, std::move(stream)),
        buffer_(connection_.stream()),
        server_name_(std::move(server_name)),
        helo_(std::move(helo)),
        message_(message),
        told_(told) {}

  // Until the message is handed over, or cannot be.
  Task<void> hand_over() {
    co_await read(kGreetingWait);
    if (!reply_.positive()) co_return;
    bool ready = co_await hello();
    if (ready && message_.tls) {
      ready = co_await start_tls();
      if (ready) ready = co_await hello();
    }
    if (ready && message_.login) ready = co_await log_in(*message_.login);
    if (!ready) co_return;
    const bool stands = co_await envelope();
    if (stands) co_await content();
  }

  // Whatever became of the message, the session is ended in order, as far as it still stands.
  Task<void> quit() {
    co_await command("QUIT", kCommandWait);
    connection_.stream().close();
  }

  bool world_gone() const { return lost_ == Errc::closed; }

 private:
  // RFC 3207.
  Task<bool> start_tls() {
    co_await command("STARTTLS", kCommandWait);
    if (!reply_.positive()) co_return false;
    const std::string buffered(buffer_.buffered());
    const Deadline deadline = env_.clock.mono() + kCommandWait;
    ClientTls terms{server_name_, message_.tls_version, message_.tls_cipher};
    const Result<void> done = co_await secure_as_client(connection_, buffered, std::move(terms), deadline);
    if (!done) lost_ = done.error().code;
    buffer_.read_from(connection_.stream());
    co_return !lost_;
  }

  // RFC 4954.
  Task<bool> log_in(ClientLogin login) {
    const auto random = env_.entropy.stream("client.nonce");
    SaslClient sasl(std::move(login), *random, connection_.stream());
    std::string line = sasl.command();
    for (;;) {
      co_await command(std::move(line), kCommandWait);
      if (lost_ || reply_.code != 334) co_return reply_.positive();
      const auto answer = sasl.answer(reply_.lines.front().substr(4));
      line = answer.value_or("*");
    }
  }

  Task<bool> hello() {
    co_await command("EHLO " + helo_, kCommandWait);
    if (reply_.positive()) {
      for (const std::string& line : reply_.lines) {
        if (equal_ignoring_case(std::string_view(line).substr(std::min<std::size_t>(4, line.size())), "8BITMIME")) {
          eight_bit_ = true;
        }
      }
      co_return true;
    }
    if (reply_.code / 100 != 5) co_return false;
    co_await command("HELO " + helo_, kCommandWait);  // RFC 5321 section 3.2
    co_return reply_.positive();
  }

  Task<bool> envelope() {
    std::string mail = fmt::format("MAIL FROM:<{}>", told_.sender);
    if (!parameters().empty()) mail += " " + parameters();
    co_await command(std::move(mail), kCommandWait);
    if (!reply_.positive()) co_return false;
    for (const std::string& recipient : message_.rcpt) {
      const auto path = parse_path(recipient);
      const std::string address = path ? path->address : recipient;
      std::string rcpt = fmt::format("RCPT TO:<{}>", address);
      if (path && !path->parameters.empty()) rcpt += " " + path->parameters;
      co_await command(std::move(rcpt), kCommandWait);
      if (lost_) co_return false;
      if (reply_.positive()) told_.recipients.push_back(address);
    }
    co_return !told_.recipients.empty();
  }

  std::string parameters() const {
    const auto path = parse_path(message_.from);
    std::string out = path ? path->parameters : std::string();
    const bool body_given = ascii_upper(out).find("BODY=") != std::string::npos;
    if (eight_bit_ && !body_given && has_8bit(told_.content)) {
      if (!out.empty()) out += ' ';
      out += "BODY=8BITMIME";
    }
    return out;
  }

  Task<void> content() {
    co_await command("DATA", kDataWait);
    if (reply_.code != 354) co_return;
    const std::string wire = dot_encode(told_.content);
    for (std::string_view rest = wire; !rest.empty() && !lost_;) {
      const std::string_view block = rest.substr(0, kBlock);
      const Result<void> written = co_await connection_.stream().write_all(block, env_.clock.mono() + kBlockWait);
      if (!written) lost_ = written.error().code;
      rest.remove_prefix(block.size());
    }
    if (lost_) co_return;
    co_await read(kFinalDotWait);
    told_.reply = reply_.text();
    told_.acknowledged = reply_.positive();
  }

  Task<void> command(std::string line, Duration patience) {
    reply_ = WireReply();
    if (lost_) co_return;
    line += "\r\n";
    const Result<void> written = co_await connection_.stream().write_all(line, env_.clock.mono() + kCommandWait);
    if (!written) {
      lost_ = written.error().code;
      co_return;
    }
    co_await read(patience);
  }

  // Into reply_, which has no code when none came. A 421 is the last one (RFC 5321 section 3.8).
  Task<void> read(Duration patience) {
    Result<WireReply> reply = co_await read_reply(buffer_, env_.clock.mono() + patience);
    reply_ = WireReply();
    if (!reply) {
      lost_ = reply.error().code;
      co_return;
    }
    reply_ = std::move(*reply);
    if (reply_.code == 421) lost_ = Errc::unexpected_eof;
  }

  Env& env_;
  Served connection_;
  LineBuffer buffer_;
  std::string server_name_;
  std::string helo_;
  const Submit& message_;
  record::ClientMessage& told_;
  WireReply reply_;
  bool eight_bit_ = false;
  std::optional<Errc> lost_;  // why nothing more can be asked
};

}  // namespace

Task<void> submit(Env& env, ClientSettings settings, Submit message, Recorder& recorder,
                  std::function<bool()> is_seen_to) {
  record::ClientMessage told;
  told.client = settings.node;
  told.to = settings.server_node;
  told.connection = 0;
  told.content = content_of(message);
  told.acknowledged = false;
  const auto sender = parse_path(message.from);
  told.sender = sender ? sender->address : message.from;

  Result<std::unique_ptr<Stream>> stream =
      co_await env.network.connect(settings.server, settings.from, env.clock.mono() + kClientConnectWait);
  if (!stream) {
    const bool ended = stream.error().code == Errc::closed;
    if (!ended && !(is_seen_to && is_seen_to())) recorder.add(std::move(told));
    co_return;
  }
  told.connection = recorder.connection((*stream)->local(), (*stream)->peer());
  std::string helo = message.helo.empty() ? settings.helo : message.helo;
  Submission submission(env, std::move(*stream), std::move(helo), settings.server_name, message, told);
  co_await submission.hand_over();
  // A client that went away with its world has nothing to tell, unless it knows that the message is taken.
  if (!submission.world_gone() || told.acknowledged) recorder.add(told);
  co_await submission.quit();
}

}  // namespace postproof::sim
