#include "mta/os/datagram.h"

#include <netinet/in.h>
#include <unistd.h>

#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/generic/datagram_protocol.hpp>

#include "mta/os/sockaddr.h"
#include "mta/os/socket.h"

namespace postproof::os {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

using AsioDatagram = asio::basic_datagram_socket<asio::generic::datagram_protocol, LoopExecutor>;

class DatagramSocket final : public Socket<AsioDatagram> {
 public:
  explicit DatagramSocket(Core& core) : Socket(core) {}

  error_code assign(int descriptor, int family) {
    error_code error;
    socket_.assign(asio::generic::datagram_protocol(family, 0), descriptor, error);
    local = local_endpoint(descriptor);
    return error;
  }

  static Task<Result<void>> send_to(std::shared_ptr<DatagramSocket> self, std::string_view octets, Endpoint to,
                                    Deadline deadline) {
    const std::optional<SocketAddress> address = to.kind() == Endpoint::Kind::ip ? to_socket_address(to) : std::nullopt;
    if (self->ended_ || !address) {
      co_await through_executor();
      if (self->ended_) co_return std::unexpected(self->end_error("send to " + to.to_string()));
      co_return fail(Errc::invalid, "send to " + to.to_string() + ": not an IP address");
    }
    const asio::generic::datagram_protocol::endpoint target(address->get(), address->size);
    self->begin(self->writing_, deadline);
    error_code error;
    do {
      co_await self->socket_.async_send_to(asio::buffer(octets.data(), octets.size()), target,
                                           asio::redirect_error(asio::use_awaitable, error));
    } while (self->goes_on(self->writing_, error));
    finish(self->writing_);
    if (error || self->ended_) co_return std::unexpected(self->failure(error, "send to " + to.to_string()));
    co_return Result<void>();
  }

  static Task<Result<Datagram::Received>> receive(std::shared_ptr<DatagramSocket> self, std::span<char> into,
                                                  Deadline deadline) {
    if (self->ended_) {
      co_await through_executor();
      co_return std::unexpected(self->end_error("receive at " + self->local.to_string()));
    }
    self->begin(self->reading_, deadline);
    asio::generic::datagram_protocol::endpoint from;
    error_code error;
    std::size_t size = 0;
    do {
      size = co_await self->socket_.async_receive_from(asio::buffer(into.data(), into.size()), from,
                                                       asio::redirect_error(asio::use_awaitable, error));
    } while (self->goes_on(self->reading_, error));
    finish(self->reading_);
    if (error || self->ended_) {
      co_return std::unexpected(self->failure(error, "receive at " + self->local.to_string()));
    }
    SocketAddress sender;
    std::memcpy(&sender.storage, from.data(), from.size());
    sender.size = static_cast<socklen_t>(from.size());
    Datagram::Received received;
    received.size = size;
    received.from = to_endpoint(sender);
    co_return received;
  }

  void end() noexcept override {
    end_calls(Errc::closed);
    shut();
  }

  Endpoint local;
};

class OsDatagram final : public Datagram {
 public:
  explicit OsDatagram(std::shared_ptr<DatagramSocket> socket) : socket_(std::move(socket)) {}
  ~OsDatagram() override { close(); }

  Task<Result<void>> send_to(std::string_view octets, Endpoint to, Deadline deadline) override {
    return DatagramSocket::send_to(socket_, octets, std::move(to), deadline);
  }
  Task<Result<Received>> receive(std::span<char> into, Deadline deadline) override {
    return DatagramSocket::receive(socket_, into, deadline);
  }
  void close() noexcept override { socket_->end(); }
  const Endpoint& local() const override { return socket_->local; }

 private:
  std::shared_ptr<DatagramSocket> socket_;
};

}  // namespace

Result<std::unique_ptr<Datagram>> open_datagram_socket(Core& core, const Endpoint& local) {
  const std::string doing = "open UDP " + local.to_string();
  if (core.stopping) return fail(Errc::closed, doing + ": closed");
  if (local.kind() != Endpoint::Kind::ip) return fail(Errc::invalid, doing + ": not an IP address");
  const std::optional<SocketAddress> address = to_socket_address(local);
  const int family = address->storage.ss_family;
  const int descriptor = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return fail_socket(errno, doing);
  const int on = 1;
  if (family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  // To port 0 Linux binds a random free one.
  if (bind(descriptor, address->get(), address->size) != 0) {
    const int number = errno;
    ::close(descriptor);
    return std::unexpected(bind_error(number, doing));
  }
  auto socket = std::make_shared<DatagramSocket>(core);
  if (const error_code error = socket->assign(descriptor, family)) {
    ::close(descriptor);
    return fail_socket(error.value(), doing);
  }
  return std::make_unique<OsDatagram>(std::move(socket));
}

}  // namespace postproof::os
