#include "mta/auth/dovecot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "mta/auth/prepare.h"
#include "mta/base/base64.h"
#include "mta/base/text.h"

namespace postproof::auth {

namespace {

constexpr Duration kHandshakeTimeout = 10s;
constexpr Duration kAnswerTimeout = 1min;  // Dovecot delays the answer to a wrong password on its own
constexpr std::size_t kLineMax = 16 * 1024;
constexpr unsigned kLinesMax = 200;  // of a handshake, or without an answer
constexpr std::uint64_t kPidMax = 0x7fffffff;

Failure temporary(std::string why) { return Failure{Refusal::temporary, {}, std::move(why)}; }

// Dovecot writes NUL, TAB, CR, LF and \001 as \001 and a character.
std::string unescape_tabs(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\001' || i + 1 == text.size()) {
      octets += text[i];
      continue;
    }
    switch (text[++i]) {
      case '0': octets += '\0'; break;
      case '1': octets += '\001'; break;
      case 't': octets += '\t'; break;
      case 'r': octets += '\r'; break;
      case 'n': octets += '\n'; break;
      default: octets += text[i];
    }
  }
  return octets;
}

// "name=VALUE" among a line's fields.
std::optional<std::string> field(const std::vector<std::string>& fields, std::string_view name) {
  for (const std::string& one : fields) {
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=') {
      return unescape_tabs(std::string_view(one).substr(name.size() + 1));
    }
  }
  return std::nullopt;
}

class DovecotExchange final : public Exchange {
 public:
  DovecotExchange(Env& env, std::string socket, Mechanism mechanism, const Channel& channel, std::uint64_t pid)
      : env_(env), socket_(std::move(socket)), mechanism_(mechanism), channel_(channel), pid_(pid) {}

  Task<Step> step(std::optional<std::string> response) override {
    if (!stream_) {
      if (auto trouble = co_await greet()) co_return std::move(*trouble);
      const std::string request = auth_line(response);
      co_return co_await ask(request);
    }
    const std::string line = fmt::format("CONT\t{}\t{}\n", kRequest, base64_encode(response.value_or("")));
    co_return co_await ask(line);
  }

 private:
  static constexpr int kRequest = 1;  // of the only request of the connection
  using Fields = std::vector<std::string>;

  // Connects, and reads what Dovecot offers.
  Task<std::optional<Failure>> greet() {
    const Deadline deadline = env_.clock.mono() + kHandshakeTimeout;
    auto stream = co_await env_.network.connect(Endpoint::unix_path(socket_), std::nullopt, deadline);
    if (!stream) co_return temporary(fmt::format("{}: {}", socket_, stream.error().what));
    stream_ = std::move(*stream);
    const std::string hello = fmt::format("VERSION\t1\t1\nCPID\t{}\n", pid_);
    const auto sent = co_await stream_->write_all(hello, deadline);
    if (!sent) co_return temporary(fmt::format("{}: {}", socket_, sent.error().what));
    bool offered = false;
    for (unsigned lines = 0; lines < kLinesMax; ++lines) {
      const auto fields = co_await next_line(deadline);
      if (!fields) co_return temporary(fields.error().what);
      const Fields& said = *fields;
      if (said[0] == "VERSION" && (said.size() < 2 || said[1] != "1")) {
        co_return temporary(socket_ + ": speaks another version of the protocol");
      }
      if (said[0] == "MECH" && said.size() > 1 && equal_ignoring_case(said[1], to_string(mechanism_))) offered = true;
      if (said[0] == "DONE") {
        if (offered) co_return std::nullopt;
        co_return Failure{Refusal::unsupported, {}, socket_ + ": Dovecot does not offer the mechanism"};
      }
    }
    co_return temporary(socket_ + ": an endless greeting");
  }

  std::string auth_line(const std::optional<std::string>& response) const {
    std::string line = fmt::format("AUTH\t{}\t{}\tservice=smtp\tnologin", kRequest, to_string(mechanism_));
    const auto add = [&](std::string_view which, const Endpoint& end) {
      if (end.kind() != Endpoint::Kind::ip) return;
      line += fmt::format("\t{0}ip={1}\t{0}port={2}", which, end.address().to_string(), end.port());
    };
    add("l", channel_.local);
    add("r", channel_.peer);
    // Dovecot's disable_plaintext_auth looks at this; whether the clear is allowed is for our configuration to say.
    line += "\tsecured";
    if (response) line += "\tresp=" + base64_encode(*response);  // must stand last
    return line + '\n';
  }

  Task<Step> ask(std::string line) {
    const Deadline deadline = env_.clock.mono() + kAnswerTimeout;
    const auto sent = co_await stream_->write_all(line, deadline);
    if (!sent) co_return temporary(fmt::format("{}: {}", socket_, sent.error().what));
    for (unsigned lines = 0; lines < kLinesMax; ++lines) {
      const auto fields = co_await next_line(deadline);
      if (!fields) co_return temporary(fields.error().what);
      if (auto step = understand(*fields)) co_return std::move(*step);
    }
    co_return temporary(socket_ + ": no answer");
  }

  // None: not an answer to our request (another mechanism has come, or gone).
  std::optional<Step> understand(const Fields& fields) const {
    if (fields.size() < 2 || fields[1] != std::to_string(kRequest)) return std::nullopt;
    if (fields[0] == "CONT") {
      auto challenge = fields.size() > 2 ? base64_decode(fields[2]) : std::optional<std::string>("");
      if (!challenge) return temporary(socket_ + ": a challenge that is no base64");
      return Challenge{std::move(*challenge)};
    }
    const auto user = field(fields, "user");
    if (fields[0] == "OK") {
      auto login = user ? prepare(*user) : std::nullopt;
      if (!login) return temporary(socket_ + ": a success without a user");
      return Success{std::move(*login)};
    }
    if (fields[0] != "FAIL") return std::nullopt;
    const bool passing = std::find(fields.begin(), fields.end(), "temp") != fields.end() || field(fields, "code") == "temp_fail";
    if (passing) return Failure{Refusal::temporary, user.value_or(""), socket_ + ": Dovecot could not look"};
    return Failure{Refusal::credentials, user.value_or(""), field(fields, "reason").value_or("refused by Dovecot")};
  }

  // At least one field.
  Task<Result<Fields>> next_line(Deadline deadline) {
    for (;;) {
      const auto end = buffer_.find('\n');
      if (end != std::string::npos) {
        Fields fields;
        for (const std::string_view part : split(std::string_view(buffer_).substr(0, end), '\t')) fields.emplace_back(part);
        buffer_.erase(0, end + 1);
        co_return fields;
      }
      if (buffer_.size() > kLineMax) co_return fail(Errc::too_large, socket_ + ": a line without an end");
      std::array<char, 4096> piece{};
      const auto got = co_await stream_->read_some(std::span(piece), deadline);
      if (!got) co_return fail(socket_, got.error());
      if (*got == 0) co_return fail(Errc::unexpected_eof, socket_ + ": closed by Dovecot");
      buffer_.append(piece.data(), *got);
    }
  }

  Env& env_;
  std::string socket_;
  Mechanism mechanism_;
  Channel channel_;
  std::uint64_t pid_;
  std::unique_ptr<Stream> stream_;
  std::string buffer_;
};

}  // namespace

Dovecot::Dovecot(Env& env, std::string socket)
    : env_(env), socket_(std::move(socket)), random_(env.entropy.stream("auth.dovecot")) {}

std::vector<Mechanism> Dovecot::mechanisms() const {
  return {Mechanism::scram_sha_256, Mechanism::plain, Mechanism::login};
}

std::unique_ptr<Exchange> Dovecot::begin(Mechanism mechanism, const Channel& channel, bool) {
  const std::uint64_t pid = 1 + random_->below(kPidMax);
  return std::make_unique<DovecotExchange>(env_, socket_, mechanism, channel, pid);
}

}  // namespace postproof::auth
