#include "mta/os/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "mta/base/check.h"
#include "mta/os/errno_error.h"
#include "mta/os/sockaddr.h"
#include "mta/os/stream.h"

namespace postproof::os {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// A descriptor until somebody else takes it over.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

class ListeningSocket final : public Waiting, public std::enable_shared_from_this<ListeningSocket> {
 public:
  explicit ListeningSocket(Core& core) : core_(core), acceptor_(core.context) { registration_.emplace(core, this); }

  error_code assign(int descriptor, int family, Endpoint bound, bool remove_path) {
    error_code error;
    acceptor_.assign(asio::generic::stream_protocol(family, 0), descriptor, error);
    family_ = family;
    local = std::move(bound);
    remove_path_ = remove_path && !error;
    return error;
  }

  static Task<Result<std::unique_ptr<Stream>>> accept(std::shared_ptr<ListeningSocket> self) {
    PP_CHECK(!self->busy_, "two calls wait on one listener");
    self->busy_ = true;
    Result<std::unique_ptr<Stream>> stream = co_await self->accept_one();
    self->busy_ = false;
    co_return stream;
  }

  void end() noexcept override {
    if (closed_) return;
    closed_ = true;
    core_.workers.sockets().remove(local, acceptor_.native_handle(), &core_);
    if (remove_path_) unlink(local.path().c_str());
    error_code ignored;
    acceptor_.close(ignored);
    registration_.reset();
  }

  Endpoint local;

 private:
  Task<Result<std::unique_ptr<Stream>>> accept_one() {
    bool through = false;  // this call has been through the executor
    for (;;) {
      if (!closed_) {
        SocketAddress peer;
        const int descriptor = accept4(acceptor_.native_handle(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        const int number = errno;
        if (descriptor >= 0) {
          Result<std::unique_ptr<Stream>> stream = take(descriptor, peer);
          if (!through) co_await through_executor();
          if (closed_) co_return closed();
          co_return stream;
        }
        if (number == EAGAIN) {
          error_code error;
          co_await acceptor_.async_wait(asio::socket_base::wait_read, asio::redirect_error(asio::use_awaitable, error));
          through = true;
          continue;
        }
        if (!connection_is_gone(number)) {
          if (!through) co_await through_executor();
          if (closed_) co_return closed();
          co_return fail_socket(number, "accept at " + local.to_string());
        }
        continue;
      }
      if (!through) co_await through_executor();
      co_return closed();
    }
  }

  // What accept(2) passes on from a connection that has ended before we took it: the next one, please.
  static bool connection_is_gone(int number) {
    switch (number) {
      case EINTR:
      case ECONNABORTED:
      case EPROTO:
      case ENOPROTOOPT:
      case ENETDOWN:
      case ENONET:
      case ENETUNREACH:
      case EHOSTDOWN:
      case EHOSTUNREACH:
      case EOPNOTSUPP:
      case EPERM: return true;  // a firewall's rule
      default: return false;
    }
  }

  Result<std::unique_ptr<Stream>> take(int descriptor, const SocketAddress& peer) {
    if (family_ != AF_UNIX) {
      const int on = 1;
      setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    Result<std::shared_ptr<StreamSocket>> socket = StreamSocket::adopt(core_, descriptor, family_);
    if (!socket) return std::unexpected(std::move(socket.error()));
    (*socket)->local = local_endpoint(descriptor);
    (*socket)->peer = to_endpoint(peer);
    return make_stream(std::move(*socket));
  }

  std::unexpected<Error> closed() const { return fail(Errc::closed, "accept at " + local.to_string() + ": closed"); }

  Core& core_;
  asio::basic_socket_acceptor<asio::generic::stream_protocol, LoopExecutor> acceptor_;
  int family_ = AF_UNSPEC;
  bool busy_ = false;
  bool closed_ = false;
  bool remove_path_ = false;
  std::optional<Registration> registration_;
};

class OsListener final : public Listener {
 public:
  explicit OsListener(std::shared_ptr<ListeningSocket> socket) : socket_(std::move(socket)) {}
  ~OsListener() override { close(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override { return ListeningSocket::accept(socket_); }
  void close() noexcept override { socket_->end(); }
  const Endpoint& local() const override { return socket_->local; }

 private:
  std::shared_ptr<ListeningSocket> socket_;
};

// Makes the port of a socket that listens already.
Result<std::unique_ptr<Listener>> watch(Core& core, Descriptor& descriptor, int family, bool remove_path) {
  auto socket = std::make_shared<ListeningSocket>(core);
  Endpoint local = local_endpoint(descriptor.get());
  const std::string doing = "listen at " + local.to_string();
  if (const error_code error = socket->assign(descriptor.get(), family, std::move(local), remove_path)) {
    return fail_socket(error.value(), doing);
  }
  core.workers.sockets().add(socket->local, descriptor.release(), &core);
  return std::make_unique<OsListener>(std::move(socket));
}

// Removes a Unix socket on which nobody listens. False: it is something else, or somebody does.
bool remove_stale(const Endpoint& at, const SocketAddress& address) {
  struct stat found;
  if (lstat(at.path().c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (probe.get() < 0 || ::connect(probe.get(), address.get(), address.size) == 0 || errno != ECONNREFUSED)
    return false;
  return unlink(at.path().c_str()) == 0;
}

bool is_no_socket(const Endpoint& at) {
  struct stat found;
  return lstat(at.path().c_str(), &found) == 0 && !S_ISSOCK(found.st_mode);
}

Result<std::unique_ptr<Listener>> listen_inherited(Core& core, const Endpoint& at) {
  const std::string doing = "listen at " + at.to_string();
  int listening = 0;
  socklen_t size = sizeof listening;
  if (getsockopt(at.descriptor(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    return fail(Errc::invalid, doing + ": not a listening socket that was inherited");
  }
  int family = AF_UNSPEC;
  size = sizeof family;
  getsockopt(at.descriptor(), SOL_SOCKET, SO_DOMAIN, &family, &size);
  // Its own copy, so that the number may be named again after a close (a reload).
  Descriptor copy(fcntl(at.descriptor(), F_DUPFD_CLOEXEC, 3));
  if (copy.get() < 0) return fail_socket(errno, doing);
  fcntl(copy.get(), F_SETFL, fcntl(copy.get(), F_GETFL) | O_NONBLOCK);
  return watch(core, copy, family, false);
}

}  // namespace

Result<std::unique_ptr<Listener>> listen_socket(Core& core, const Endpoint& at) {
  const std::string doing = "listen at " + at.to_string();
  if (core.stopping) return fail(Errc::closed, doing + ": closed");
  if (at.kind() == Endpoint::Kind::inherited) return listen_inherited(core, at);
  const std::optional<SocketAddress> address = to_socket_address(at);
  if (!address) return fail(Errc::invalid, doing + ": the path is empty or too long for a socket");
  const int family = address->storage.ss_family;

  Descriptor descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (descriptor.get() < 0) return fail_socket(errno, doing);
  const int on = 1;
  if (family != AF_UNIX) setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(descriptor.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);

  int number = bind(descriptor.get(), address->get(), address->size) == 0 ? 0 : errno;
  if (number == EADDRINUSE && family == AF_UNIX && remove_stale(at, *address)) {
    number = bind(descriptor.get(), address->get(), address->size) == 0 ? 0 : errno;
  }
  if (number == EADDRINUSE && family == AF_UNIX && is_no_socket(at)) {
    return fail(Errc::in_use, doing + ": something that is not a socket is in the way");
  }
  if (number == EADDRINUSE) {
    if (Descriptor shared(core.workers.sockets().copy(at, &core)); shared.get() >= 0)
      return watch(core, shared, family, false);
  }
  if (number != 0) return std::unexpected(bind_error(number, doing));
  // Nobody can connect before listen().
  if (family == AF_UNIX) chmod(at.path().c_str(), 0600);
  if (::listen(descriptor.get(), SOMAXCONN) != 0) {
    number = errno;
    if (family == AF_UNIX) unlink(at.path().c_str());
    return std::unexpected(bind_error(number, doing));
  }

  return watch(core, descriptor, family, family == AF_UNIX);
}

}  // namespace postproof::os
