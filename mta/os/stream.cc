#include "mta/os/stream.h"

#include <unistd.h>
#include <boost/asio/socket_base.hpp>

#include "mta/os/sockaddr.h"

namespace postproof::os {

namespace asio = boost::asio;
using boost::system::error_code;

Result<std::shared_ptr<StreamSocket>> StreamSocket::adopt(Core& core, int descriptor, int family) {
  auto socket = std::make_shared<StreamSocket>(core);
  error_code error;
  socket->socket_.assign(asio::generic::stream_protocol(family, 0), descriptor, error);
  if (error) {
    ::close(descriptor);
    return fail_socket(error.value(), "watch a socket");
  }
  return socket;
}

Task<Result<void>> StreamSocket::connect(std::shared_ptr<StreamSocket> self, Endpoint to, Deadline deadline) {
  const std::optional<SocketAddress> address = to_socket_address(to);
  const asio::generic::stream_protocol::endpoint target(address->get(), address->size);
  const MonoTime start = std::chrono::steady_clock::now();
  error_code error;
  self->begin(self->writing_, deadline);
  co_await self->socket_.async_connect(target, asio::redirect_error(asio::use_awaitable, error));
  const bool expired = self->writing_.expired;
  std::string doing = "connect " + to.to_string();
  if (error || self->ended_ || expired) {
    Error told = self->failure(error, std::move(doing));
    if (expired && told.code == Errc::timed_out) {
      const MonoTime now = std::chrono::steady_clock::now();
      told.what += " after " + format_duration(std::chrono::round<std::chrono::milliseconds>(now - start));
    }
    co_return std::unexpected(std::move(told));
  }
  finish(self->writing_);
  self->local = local_endpoint(self->socket_.native_handle());
  self->peer = std::move(to);
  // A port of the range that the kernel draws from may have been drawn for this very connection: a socket
  // that is connected to itself. Nobody listened.
  if (self->local.kind() == Endpoint::Kind::ip && self->local == self->peer) {
    co_return fail(Errc::refused, doing + ": connection refused, it would have been connected to itself");
  }
  // A Unix listener whose backlog is full answers EAGAIN, which Asio takes for "in progress".
  SocketAddress answered;
  if (getpeername(self->socket_.native_handle(), answered.get(), &answered.size) != 0) {
    const int number = errno;
    if (self->peer.kind() == Endpoint::Kind::unix_path && number == ENOTCONN) {
      co_return fail(Errc::refused, doing + ": the listener's backlog is full");
    }
    co_return fail_socket(number == ENOTCONN ? ECONNRESET : number, doing);
  }
  co_return Result<void>();
}

Task<Result<std::size_t>> StreamSocket::read_some(std::shared_ptr<StreamSocket> self, std::span<char> into,
                                                  Deadline deadline) {
  PP_CHECK(!into.empty(), "a read into nothing");
  if (self->ended_) {
    co_await through_executor();
    co_return std::unexpected(self->end_error("read from " + self->peer.to_string()));
  }
  self->begin(self->reading_, deadline);
  error_code error;
  std::size_t size = 0;
  do {
    size = co_await self->socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                                  asio::redirect_error(asio::use_awaitable, error));
  } while (self->goes_on(self->reading_, error));
  const bool end_of_stream = error == asio::error::eof;
  if (self->ended_ || (error && !end_of_stream)) {
    Error told = self->failure(error, "read from " + self->peer.to_string());
    finish(self->reading_);
    co_return std::unexpected(std::move(told));
  }
  finish(self->reading_);
  if (end_of_stream) self->finished_ = true;
  co_return end_of_stream ? 0 : size;
}

Task<Result<void>> StreamSocket::write_all(std::shared_ptr<StreamSocket> self, std::string_view octets,
                                           Deadline deadline) {
  if (self->ended_ || octets.empty()) {
    co_await through_executor();
    if (self->ended_) co_return std::unexpected(self->end_error("write to " + self->peer.to_string()));
    co_return Result<void>();
  }
  self->begin(self->writing_, deadline);
  error_code error;
  while (!octets.empty()) {
    const std::size_t size = co_await self->socket_.async_write_some(asio::buffer(octets.data(), octets.size()),
                                                                     asio::redirect_error(asio::use_awaitable, error));
    octets.remove_prefix(size);
    if (self->goes_on(self->writing_, error)) continue;
    if (self->ended_ || error || (self->writing_.expired && !octets.empty())) {
      Error told = self->failure(error, "write to " + self->peer.to_string());
      finish(self->writing_);
      co_return std::unexpected(std::move(told));
    }
  }
  finish(self->writing_);
  co_return Result<void>();
}

void StreamSocket::abandon() {
  end_calls(Errc::closed);
  shut();
}

void StreamSocket::shutdown_send() {
  if (ended_) return;
  error_code ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void StreamSocket::reset() {
  if (ended_ == Errc::closed) return;
  if (!ended_) {
    end_calls(Errc::reset);
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  }
  shut();
}

// After a reset the stream stays one that was reset.
void StreamSocket::close() noexcept {
  if (ended_ == Errc::closed) return;
  if (ended_ == Errc::reset) {
    shut();
    return;
  }
  end_calls(Errc::closed);
  error_code error;
  socket_.shutdown(asio::socket_base::shutdown_send, error);
  if (error || finished_) {
    shut();
  } else {
    linger();
  }
}

void StreamSocket::end() noexcept {
  if (ended_ == Errc::closed) {
    linger();
  } else {
    close();
  }
}

// Once more when the loop stops: only the time is shortened then.
void StreamSocket::linger() {
  timer_.expires_after(core_.stopping ? kLingerAtStop : kLinger);
  timer_.async_wait([self = shared_from_this(), this](error_code error) {
    if (!error) shut();
  });
  if (!std::exchange(lingering_, true)) drain();
}

void StreamSocket::drain() {
  socket_.async_read_some(asio::buffer(core_.scratch),
                          [self = shared_from_this(), this](error_code error, std::size_t) {
                            if (error) {
                              shut();
                            } else {
                              drain();
                            }
                          });
}

namespace {

class OsStream final : public Stream {
 public:
  explicit OsStream(std::shared_ptr<StreamSocket> socket) : socket_(std::move(socket)) {}
  ~OsStream() override { socket_->close(); }

  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline) override {
    return StreamSocket::read_some(socket_, into, deadline);
  }
  Task<Result<void>> write_all(std::string_view octets, Deadline deadline) override {
    return StreamSocket::write_all(socket_, octets, deadline);
  }
  void shutdown_send() override { socket_->shutdown_send(); }
  void reset() override { socket_->reset(); }
  void close() noexcept override { socket_->close(); }
  const Endpoint& local() const override { return socket_->local; }
  const Endpoint& peer() const override { return socket_->peer; }

 private:
  std::shared_ptr<StreamSocket> socket_;
};

}  // namespace

std::unique_ptr<Stream> make_stream(std::shared_ptr<StreamSocket> socket) {
  return std::make_unique<OsStream>(std::move(socket));
}

}  // namespace postproof::os
