// The octets' ways: write_all -> SSL_write -> outgoing BIO -> flush -> inner stream, and inner stream -> incoming BIO
// -> SSL_read -> reader. A read may have something to send too (an alert, the answer to a KeyUpdate): one flush at a
// time takes out what is there, in order.
#include "mta/tls/stream.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "mta/base/check.h"
#include "mta/env/wakeup.h"
#include "mta/tls/handle.h"
#include "mta/tls/identity_of.h"

namespace postproof::tls {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kPiece = 64 * 1024;      // of what is written, that is encrypted at once
constexpr std::size_t kHandshakePiece = 4096;  // of a read during the handshake
constexpr Duration kCloseNotifyTimeout = 1s;   // to hand a last alert to the connection

bool is_address(const std::string& name) { return IpAddress::parse(name).has_value(); }

}  // namespace

std::string Agreed::to_string() const {
  std::string text = version + " " + cipher;
  if (verified == "ok") return text + " verified";
  return verified.empty() ? text : text + " not verified: " + verified;
}

class Stream::Engine : public std::enable_shared_from_this<Engine> {
 public:
  Engine(Env& env, std::shared_ptr<const Context> context, std::unique_ptr<postproof::Stream> under,
         std::string server_name);

  Task<Result<void>> handshake(Deadline deadline);
  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline);
  Task<Result<void>> write_all(std::string_view octets, Deadline deadline);
  void shutdown_send();
  void reset();
  void close();

  const Agreed& agreed() const { return agreed_; }
  postproof::Stream& under() { return *under_; }
  SSL* native() const { return ssl_.get(); }
  void refuse(std::string why) { refusal_ = std::move(why); }

 private:
  enum class State : std::uint8_t { fresh, open, failed, closed, reset };

  bool expect_name(const std::string& name);
  Task<Result<void>> shake_hands(Deadline deadline);
  Task<Result<void>> flush(Deadline deadline);
  Result<void> feed(std::string_view octets);
  Result<std::size_t> take(std::span<char> into);
  std::optional<Error> state_error(std::string_view doing) const;
  Error protocol_error(std::string_view doing);
  Error inner_error(Error error);
  Error truncated();
  void note_agreed();
  void note_server_name();
  void say_goodbye(bool close_under);
  static Task<void> goodbye(std::shared_ptr<Engine> self, bool close_under);
  void report(TlsReport::State state, std::string_view detail = {});
  static void on_key(const SSL* ssl, const char* line);

  Env& env_;
  std::shared_ptr<const Context> context_;
  std::unique_ptr<postproof::Stream> under_;
  ConnectionHandle ssl_;
  BIO* incoming_ = nullptr;  // both are ssl_'s
  BIO* outgoing_ = nullptr;
  Agreed agreed_;
  std::string refusal_;
  State state_ = State::fresh;
  bool peer_done_ = false;  // its close_notify has come
  bool our_end_ = false;    // our close_notify is on its way, or has been sent
  bool leaving_ = false;    // goodbye() is under way, and ends the inner stream behind it
  bool writing_ = false;    // write_all
  bool flushing_ = false;
  bool goodbye_wanted_ = false;  // once the write under way has ended
  Wakeup flushed_;
};

Stream::Engine::Engine(Env& env, std::shared_ptr<const Context> context, std::unique_ptr<postproof::Stream> under,
                       std::string server_name)
    : env_(env),
      context_(std::move(context)),
      under_(std::move(under)),
      ssl_(SSL_new(context_->native())),
      flushed_(env) {
  PP_CHECK(ssl_ != nullptr, "no memory for a TLS connection");
  incoming_ = BIO_new(BIO_s_mem());
  outgoing_ = BIO_new(BIO_s_mem());
  PP_CHECK(incoming_ != nullptr && outgoing_ != nullptr, "no memory for a TLS connection");
  SSL_set_bio(ssl_.get(), incoming_, outgoing_);
  SSL_set_app_data(ssl_.get(), this);
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_.get()),
                             std::chrono::floor<std::chrono::seconds>(env_.clock.now()).time_since_epoch().count());
  if (context_->role() == Context::Role::server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    if (!server_name.empty() && !expect_name(server_name)) refusal_ = "no name to ask for: " + server_name;
    if (!is_address(server_name)) agreed_.server_name = std::move(server_name);
  }
  if (env_.tls.observes()) SSL_CTX_set_keylog_callback(context_->native(), &Engine::on_key);
}

// RFC 9525 section 6: the name is looked for among the subject's alternative names only. RFC 6066 section 3: an address
// is no server name.
bool Stream::Engine::expect_name(const std::string& name) {
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl_.get());
  if (is_address(name)) return X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(parameters,
                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) == 1;
}

Task<Result<void>> Stream::Engine::handshake(Deadline deadline) {
  const auto self = shared_from_this();
  PP_CHECK(state_ == State::fresh || state_ == State::closed || state_ == State::reset, "one handshake a stream");
  co_await asio::post(asio::use_awaitable);
  auto done = co_await shake_hands(deadline);
  if (done) {
    note_agreed();
    state_ = State::open;
    report(TlsReport::State::established);
    co_return done;
  }
  if (state_ == State::fresh) state_ = State::failed;
  if (context_->role() == Context::Role::server) note_server_name();
  if (done.error().code != Errc::closed) report(TlsReport::State::failed, done.error().what);
  // The alert, if there is one, tells the other side why.
  if (state_ == State::failed) static_cast<void>(co_await flush(env_.clock.mono() + kCloseNotifyTimeout));
  co_return done;
}

Task<Result<void>> Stream::Engine::shake_hands(Deadline deadline) {
  if (!refusal_.empty()) co_return fail(Errc::protocol, "TLS handshake: " + refusal_);
  std::string buffer(kHandshakePiece, '\0');
  for (;;) {
    if (auto error = state_error("TLS handshake")) co_return std::unexpected(std::move(*error));
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    const int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
    if (why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ) co_return std::unexpected(protocol_error("TLS handshake"));
    auto sent = co_await flush(deadline);
    if (!sent) co_return fail("TLS handshake", std::move(sent.error()));
    if (why == SSL_ERROR_NONE) co_return Result<void>();
    auto got = co_await under_->read_some(buffer, deadline);
    if (!got) co_return fail("TLS handshake", std::move(got.error()));
    if (*got == 0) co_return fail(Errc::unexpected_eof, "TLS handshake: connection closed by peer");
    BIO_write(incoming_, buffer.data(), static_cast<int>(*got));
  }
}

void Stream::Engine::note_agreed() {
  agreed_.version = SSL_get_version(ssl_.get());
  agreed_.cipher = SSL_get_cipher_name(ssl_.get());
  const bool server = context_->role() == Context::Role::server;
  if (server) {
    note_server_name();
    agreed_.exporter = exported_binding(ssl_.get());
    agreed_.server_end_point = certificate_binding(SSL_get_certificate(ssl_.get()));
  }
  const X509* theirs = SSL_get0_peer_certificate(ssl_.get());
  if (!context_->verifies() || (server && theirs == nullptr)) return;
  const long result = SSL_get_verify_result(ssl_.get());
  agreed_.verified = result == X509_V_OK ? "ok" : X509_verify_cert_error_string(result);
  if (server && result == X509_V_OK) agreed_.client_names = subject_names(theirs);
}

void Stream::Engine::note_server_name() {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) agreed_.server_name = name;
}

// Into `into` the octets of the connection are read first: what becomes of them is never longer.
Task<Result<std::size_t>> Stream::Engine::read_some(std::span<char> into, Deadline deadline) {
  const auto self = shared_from_this();
  PP_CHECK(!into.empty(), "a read into nothing");
  for (bool waited = false;;) {
    if (auto error = state_error("read")) {
      if (!waited) co_await asio::post(asio::use_awaitable);
      co_return std::unexpected(std::move(*error));
    }
    auto got = take(into);
    const bool more_to_come = got && *got == 0 && !peer_done_;
    if (BIO_pending(outgoing_) > 0 && !writing_ && !flushing_) {
      // Whether it could be sent shows at the next read.
      static_cast<void>(co_await flush(deadline));
      waited = true;
      if (more_to_come) continue;
    }
    if (!more_to_come) {
      if (!waited) co_await asio::post(asio::use_awaitable);
      co_return got;
    }
    auto more = co_await under_->read_some(into, deadline);
    waited = true;
    if (!more) co_return std::unexpected(inner_error(std::move(more.error())));
    if (*more == 0) co_return std::unexpected(truncated());
    BIO_write(incoming_, into.data(), static_cast<int>(*more));
  }
}

// 0: more must come, or the peer is done.
Result<std::size_t> Stream::Engine::take(std::span<char> into) {
  std::size_t size = 0;
  if (peer_done_) return size;
  ERR_clear_error();
  const int read = SSL_read_ex(ssl_.get(), into.data(), into.size(), &size);
  if (read == 1) {
    if (env_.tls.observes()) env_.tls.heard(*under_, {into.data(), size});
    return size;
  }
  switch (SSL_get_error(ssl_.get(), read)) {
    case SSL_ERROR_WANT_READ: return std::size_t{0};
    case SSL_ERROR_ZERO_RETURN:
      if (BIO_pending(incoming_) > 0) {
        state_ = State::failed;
        report(TlsReport::State::failed, "octets behind close_notify");
        return fail(Errc::protocol, "TLS: octets behind close_notify");
      }
      peer_done_ = true;
      return std::size_t{0};
    default: break;
  }
  Error error = protocol_error("TLS");
  state_ = State::failed;
  report(TlsReport::State::failed, error.what);
  return std::unexpected(std::move(error));
}

Task<Result<void>> Stream::Engine::write_all(std::string_view octets, Deadline deadline) {
  const auto self = shared_from_this();
  PP_CHECK(!writing_, "two writers wait on one stream");
  writing_ = true;
  Result<void> sent;
  if (octets.empty()) co_await asio::post(asio::use_awaitable);
  // What a reader sends goes first, so that what is told of our octets is true of the next on the wire.
  while (flushing_ && sent) sent = co_await flush(deadline);
  while (sent) {
    if (auto error = state_error("write")) {
      if (!octets.empty()) co_await asio::post(asio::use_awaitable);
      sent = std::unexpected(std::move(*error));
    }
    if (!sent || octets.empty()) break;
    const std::string_view piece = octets.substr(0, kPiece);
    std::size_t size = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &size) != 1) {
      sent = std::unexpected(protocol_error("TLS"));
      break;
    }
    octets.remove_prefix(size);
    if (env_.tls.observes()) {
      env_.tls.plain(*under_, piece.substr(0, size), static_cast<std::size_t>(BIO_pending(outgoing_)));
    }
    sent = co_await flush(deadline);
  }
  writing_ = false;
  if (std::exchange(goodbye_wanted_, false)) say_goodbye(state_ == State::closed);
  co_return sent;
}

// Until nothing is left to send, whoever sends it.
Task<Result<void>> Stream::Engine::flush(Deadline deadline) {
  while (flushing_) {
    const Woken woken = co_await flushed_.wait(deadline);
    if (woken != Woken::notified)
      co_return fail(woken == Woken::deadline ? Errc::timed_out : Errc::closed, "TLS: write");
  }
  Result<void> sent;
  if (BIO_pending(outgoing_) == 0) co_return sent;
  flushing_ = true;
  while (sent && BIO_pending(outgoing_) > 0) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(outgoing_, &data);
    const std::string octets(data, static_cast<std::size_t>(size));
    BIO_reset(outgoing_);
    sent = co_await under_->write_all(octets, deadline);
  }
  flushing_ = false;
  flushed_.notify();
  if (!sent) co_return std::unexpected(inner_error(std::move(sent.error())));
  co_return sent;
}

void Stream::Engine::shutdown_send() {
  if (state_ != State::open || our_end_) return;
  if (writing_) {
    goodbye_wanted_ = true;
  } else {
    say_goodbye(false);
  }
}

void Stream::Engine::reset() {
  if (state_ == State::closed) return;
  state_ = State::reset;
  under_->reset();
}

void Stream::Engine::close() {
  if (state_ == State::closed || state_ == State::reset) return;
  const bool orderly = state_ == State::open && !our_end_ && !writing_;
  state_ = State::closed;
  if (orderly) {
    say_goodbye(true);
  } else if (!leaving_) {
    under_->close();
  }
}

// RFC 8446 section 6.1: close_notify, and behind it the end of our direction or of the connection.
void Stream::Engine::say_goodbye(bool close_under) {
  our_end_ = leaving_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  report(TlsReport::State::closed);
  asio::co_spawn(env_.executor, goodbye(shared_from_this(), close_under), asio::detached);
}

// Nobody joins it: it owns what it uses, and ends by itself soon.
Task<void> Stream::Engine::goodbye(std::shared_ptr<Engine> self, bool close_under) {
  static_cast<void>(co_await self->flush(self->env_.clock.mono() + kCloseNotifyTimeout));
  self->leaving_ = false;
  if (close_under || self->state_ == State::closed) {
    self->under_->close();
  } else {
    self->under_->shutdown_send();
  }
}

std::optional<Error> Stream::Engine::state_error(std::string_view doing) const {
  switch (state_) {
    case State::fresh: return std::nullopt;
    case State::open:
      if (doing != "write" || !our_end_) return std::nullopt;
      return Error{Errc::closed, "TLS: write: our direction has ended"};
    case State::failed: return Error{Errc::protocol, fmt::format("TLS: {}: the connection has failed", doing)};
    case State::closed: return Error{Errc::closed, fmt::format("TLS: {}: closed", doing)};
    case State::reset: break;
  }
  return Error{Errc::reset, fmt::format("TLS: {}: connection reset", doing)};
}

Error Stream::Engine::protocol_error(std::string_view doing) {
  std::string reason = take_error();
  const long verified = SSL_get_verify_result(ssl_.get());
  if (context_->verifies() && verified != X509_V_OK && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE) {
    reason += fmt::format(" ({})", X509_verify_cert_error_string(verified));
  }
  return Error{Errc::protocol, fmt::format("{}: {}", doing, reason.empty() ? "failed" : reason)};
}

// A connection that was reset stays so when it is closed.
Error Stream::Engine::inner_error(Error error) {
  if (error.code == Errc::reset && state_ == State::open) state_ = State::reset;
  error.what.insert(0, "TLS: ");
  return error;
}

Error Stream::Engine::truncated() {
  state_ = State::failed;
  report(TlsReport::State::truncated);
  return Error{Errc::unexpected_eof, "TLS: the connection ended without close_notify"};
}

void Stream::Engine::report(TlsReport::State state, std::string_view detail) {
  if (!env_.tls.observes()) return;
  TlsReport told;
  told.state = state;
  told.version = agreed_.version;
  told.cipher = agreed_.cipher;
  told.server_name = agreed_.server_name;
  told.verified = agreed_.verified;
  told.detail = detail;
  env_.tls.report(*under_, told);
}

void Stream::Engine::on_key(const SSL* ssl, const char* line) {
  Engine* engine = static_cast<Engine*>(SSL_get_app_data(ssl));
  engine->env_.tls.key(*engine->under_, line);
}

Stream::Stream(Env& env, std::shared_ptr<const Context> context, std::unique_ptr<postproof::Stream> under,
               std::string_view buffered, std::string server_name)
    : engine_(std::make_shared<Engine>(env, std::move(context), std::move(under), std::move(server_name))) {
  if (!buffered.empty()) engine_->refuse("octets in the clear came before it");
}

Stream::~Stream() { engine_->close(); }

Task<Result<void>> Stream::handshake(Deadline deadline) { return engine_->handshake(deadline); }
const Agreed& Stream::agreed() const { return engine_->agreed(); }
Task<Result<std::size_t>> Stream::read_some(std::span<char> into, Deadline deadline) {
  return engine_->read_some(into, deadline);
}
Task<Result<void>> Stream::write_all(std::string_view octets, Deadline deadline) {
  return engine_->write_all(octets, deadline);
}
void Stream::shutdown_send() { engine_->shutdown_send(); }
void Stream::reset() { engine_->reset(); }
void Stream::close() noexcept { engine_->close(); }
const Endpoint& Stream::local() const { return engine_->under().local(); }
const Endpoint& Stream::peer() const { return engine_->under().peer(); }
ssl_st* Stream::native() const { return engine_->native(); }

}  // namespace postproof::tls
